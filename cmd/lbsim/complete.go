package main

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/conformance/drivers"
	"github.com/unilb/unilb/scenarios/incidents"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
	"github.com/unilb/unilb/topology"
)

// completeLimit is how long a question to a lab may take while somebody waits for
// a word to be completed.
const completeLimit = time.Second

// words is what may stand at a place of the command line. It never fails: what
// cannot be found out is not proposed.
type words func(cmd *cobra.Command, before []string, word string) []cobra.Completion

// onlyWords completes with these words alone, not with names of files.
func onlyWords(w words) cobra.CompletionFunc {
	return func(cmd *cobra.Command, before []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return propose(w, cmd, before, word), cobra.ShellCompDirectiveNoFileComp
	}
}

// orFiles completes with names of files where none of the words fits.
func orFiles(w words) cobra.CompletionFunc {
	return func(cmd *cobra.Command, before []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return propose(w, cmd, before, word), cobra.ShellCompDirectiveDefault
	}
}

// propose asks with the flags that variables set.
func propose(w words, cmd *cobra.Command, before []string, word string) []cobra.Completion {
	if setFromEnv(cmd) != nil {
		return nil
	}
	all := w(cmd, before, word)
	return slices.DeleteFunc(all, func(c cobra.Completion) bool { return !strings.HasPrefix(c, word) })
}

// first completes the first argument, and no other.
func first(w words) words {
	return func(cmd *cobra.Command, before []string, word string) []cobra.Completion {
		if len(before) > 0 {
			return nil
		}
		return w(cmd, before, word)
	}
}

// completeFlag completes the value of a flag. That there is such a flag is a
// matter of this program.
func completeFlag(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}

func labNames(*cobra.Command, []string, string) []cobra.Completion {
	labs, err := supervisor.List()
	if err != nil {
		return nil
	}
	var out []cobra.Completion
	for _, e := range labs {
		out = append(out, cobra.CompletionWithDesc(e.Name, e.Topology))
	}
	return out
}

// statusFor asks the lab that the command line means what it looks like.
func statusFor(cmd *cobra.Command) lab.Status {
	name, err := cmd.Flags().GetString("lab")
	if err != nil {
		return lab.Status{}
	}
	e, err := supervisor.Find(name)
	if err != nil {
		return lab.Status{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), completeLimit)
	defer cancel()
	st, err := supervisor.Open(e).Status(ctx)
	if err != nil {
		return lab.Status{}
	}
	return st
}

func nodeRefs(cmd *cobra.Command, _ []string, _ string) []cobra.Completion {
	var out []cobra.Completion
	for _, n := range statusFor(cmd).Nodes {
		out = append(out, cobra.CompletionWithDesc(string(n.Ref), string(n.Kind)))
	}
	return out
}

// linksOf are the links of a lab; the wires say so.
func linksOf(st lab.Status) []cobra.Completion {
	var out []cobra.Completion
	for _, l := range st.Links {
		out = append(out, cobra.CompletionWithDesc(l.Name, string(l.Kind)))
	}
	return out
}

func linksAndNodes(cmd *cobra.Command, _ []string, _ string) []cobra.Completion {
	st := statusFor(cmd)
	out := linksOf(st)
	for _, n := range st.Nodes {
		out = append(out, cobra.CompletionWithDesc(string(n.Ref), "all its links"))
	}
	return out
}

// activeFaults are the faults of a lab that are not named yet.
func activeFaults(cmd *cobra.Command, before []string, _ string) []cobra.Completion {
	var out []cobra.Completion
	for _, f := range statusFor(cmd).Faults {
		if !slices.Contains(before, f.ID) {
			out = append(out, cobra.CompletionWithDesc(f.ID, f.Text))
		}
	}
	return out
}

func validatable(*cobra.Command, []string, string) []cobra.Completion {
	return append(topology.LibraryNames(), incidents.Names()...)
}

func topologies(*cobra.Command, []string, string) []cobra.Completion { return topology.LibraryNames() }

func driverNames(*cobra.Command, []string, string) []cobra.Completion {
	found, err := fs.Glob(drivers.Files, "*.yaml")
	if err != nil {
		return nil // the pattern is well formed
	}
	var out []cobra.Completion
	for _, f := range found {
		out = append(out, strings.TrimSuffix(f, ".yaml"))
	}
	return out
}
