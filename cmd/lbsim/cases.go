package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/conformance/casedoc"
	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
)

func casesCommand(out *output) *cobra.Command {
	var w suite.Choice
	cmd := &cobra.Command{
		Use: "cases [ID|PATTERN]...", Short: "List the conformance cases, or show one with its objects and proof",
		Example:           "  lbsim cases --profile L7-ROUTING --level must\n  lbsim cases 'SMUG-*'\n  lbsim cases ROUTE-HOST",
		ValidArgsFunction: onlyWords(caseIDs),
	}
	f := cmd.Flags()
	f.StringSliceVar(&w.Profiles, "profile", nil, "only cases of these profiles")
	f.StringSliceVar(&w.Features, "feature", nil, "only cases that need one of these features")
	f.StringSliceVar(&w.Levels, "level", nil, "only cases of these levels: must, should, may")
	f.BoolVar(&w.Blocking, "core", false, "only cases of core features, which block a release")
	completeFlag(cmd, "profile", onlyWords(profileNames))
	completeFlag(cmd, "feature", onlyWords(featureNames))
	completeFlag(cmd, "level", onlyWords(levelNames))
	cmd.RunE = func(_ *cobra.Command, patterns []string) error {
		w.Patterns = patterns
		chosen, err := w.Of(cases.All())
		if err != nil {
			return inputError(err)
		}
		var entries []casedoc.Entry
		for _, c := range chosen {
			e, ok := casedoc.Find(c.ID)
			if !ok {
				e = casedoc.Declared(c) // newer than the pages
			}
			entries = append(entries, e)
		}
		switch {
		case out.json:
			return printCaseObjects(out, entries)
		case len(patterns) == 1 && len(entries) == 1 && entries[0].ID == patterns[0]:
			_, err := fmt.Fprint(out.to, entries[0].Text())
			return err
		}
		return printCases(out, entries)
	}
	return cmd
}

func printCaseObjects(out *output, entries []casedoc.Entry) error {
	for _, e := range entries {
		if err := out.object("case", e.WithPage()); err != nil {
			return err
		}
	}
	return nil
}

// printCases prints two lines for each case: what it is, and its statement. Pages
// are named by their directory once.
func printCases(out *output, entries []casedoc.Entry) error {
	core := 0
	for _, e := range entries {
		mark := " "
		if e.Core {
			mark = "*"
			core++
		}
		line := fmt.Sprintf("%s %-30s %-6s  %s  %s", mark, e.ID, e.Level, spaced(e.Features), strings.Join(e.Refs, "; "))
		if _, err := fmt.Fprintf(out.to, "%s\n    %s\n", line, e.Title); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out.to, "%s, %d of them core (*); a page for each in %s\n", counted(len(entries), "case"), core, casedoc.Pages)
	return err
}

// spaced joins words of any kind.
func spaced[T ~string](list []T) string {
	var out []string
	for _, w := range list {
		out = append(out, string(w))
	}
	return strings.Join(out, " ")
}

func caseIDs(_ *cobra.Command, before []string, _ string) []cobra.Completion {
	var out []cobra.Completion
	for _, e := range casedoc.All() {
		if !slices.Contains(before, e.ID) {
			out = append(out, cobra.CompletionWithDesc(e.ID, e.Title))
		}
	}
	return out
}

func profileNames(*cobra.Command, []string, string) []cobra.Completion {
	var out []cobra.Completion
	for _, p := range spec.Profiles() {
		out = append(out, p.Name)
	}
	return out
}

func featureNames(*cobra.Command, []string, string) []cobra.Completion {
	var out []cobra.Completion
	for _, f := range spec.Features() {
		out = append(out, string(f))
	}
	return out
}

func levelNames(*cobra.Command, []string, string) []cobra.Completion {
	return []cobra.Completion{string(spec.Must), string(spec.Should), string(spec.May)}
}
