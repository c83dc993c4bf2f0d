package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
)

// dir is where published reports are, from the root of the repository.
const dir = "conformance/reports"

// publish copies the reports below from, and replaces what is published of the
// same gateways.
func publish(from, to string) error {
	found, err := filepath.Glob(filepath.Join(from, "*", report.YAMLFile))
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("no %s/*/%s: run make conformance-all first", from, report.YAMLFile)
	}
	for _, name := range found {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		r, err := report.Read(bytes.NewReader(b))
		if err == nil {
			err = errors.Join(report.Sealed(b), fit(r), whole(r, cases.All()))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		at := filepath.Join(to, r.Gateway.Name)
		if err := os.RemoveAll(at); err != nil { // of one gateway one report
			return err
		}
		at = filepath.Join(at, r.Gateway.Release())
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
		err = errors.Join(os.WriteFile(filepath.Join(at, report.YAMLFile), b, 0o644), os.WriteFile(filepath.Join(at, "README.md"), []byte(readme(r)), 0o644))
		if err != nil {
			return err
		}
		fmt.Println(at)
	}
	return nil
}

// whole says what a report lacks that must hold every case.
func whole(r *report.Report, all []spec.Case) error {
	var missing []string
	for _, c := range all {
		if !slices.ContainsFunc(r.Cases, func(x spec.Result) bool { return x.Case == c.ID }) {
			missing = append(missing, c.ID)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("only whole runs are published; it lacks %d cases, %s the first", len(missing), missing[0])
	}
	return nil
}

// readme says what the report is and how to make it again.
func readme(r *report.Report) string {
	var b strings.Builder
	f := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format, args...) } // a builder takes everything
	f("<!-- Written by tools/reports from report.yaml; do not edit. -->\n# %s %s\n\n", r.Gateway.Name, r.Gateway.Release())
	f("**%s**: %s. %d passed, %d failed, %d skipped.\n\n", r.Verdict, r.Meaning(), r.Counts.Passed, r.Counts.Failed, r.Counts.Skipped)
	f("| profile | result | |\n|---|---|---|\n")
	for _, p := range r.Profiles {
		f("| %s | %s | %s |\n", p.Name, p.Result, p.Summary)
	}
	f("\n| | |\n|---|---|\n| binary | `%s` |\n| suite | %s, cases `%s` |\n", r.Gateway.Binary, r.Suite.Version, r.Suite.Cases)
	f("| topology | %s, seed %d |\n| machine | Linux %s %s, %d CPUs |\n", r.Run.Topology, r.Run.Seed, r.Machine.Kernel, r.Machine.Arch, r.Machine.CPUs)
	f("| judged | %s, in %s |\n", r.Run.Started.UTC().Format("2006-01-02 15:04Z"), r.Run.Took.Round(1e9))
	f("\n## Reproduce\n\nAs root")
	if r.Suite.Commit != "" {
		f(", at commit `%s`", r.Suite.Commit)
	}
	f(":\n\n```\nmake build\n%s\n```\n\nA page to look at: `bin/lbsim report %s/%s/%s --out page.html`.\n", r.Run.Command, dir, r.Gateway.Name, r.Gateway.Release())
	return b.String()
}
