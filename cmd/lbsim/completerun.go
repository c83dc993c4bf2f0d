package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/scenarios/incidents"
	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/nodelog"
)

// runsProposed is how many runs are proposed, the newest ones.
const runsProposed = 50

// runNames are the runs that are kept, and the name of the newest.
func runNames(cmd *cobra.Command, _ []string, _ string) []cobra.Completion {
	root, err := cmd.Flags().GetString("runs")
	if err != nil {
		return nil
	}
	names := bundle.List(root, runsProposed)
	if len(names) == 0 {
		return nil
	}
	return append([]cobra.Completion{cobra.CompletionWithDesc("latest", names[0])}, names...)
}

// scenarios are those that come with the testbed.
func scenarios(*cobra.Command, []string, string) []cobra.Completion { return incidents.Names() }

// logOwners are the nodes that have logs, in the run that was named before or in a
// running lab; and the runs, as long as none is named.
func logOwners(cmd *cobra.Command, before []string, word string) []cobra.Completion {
	switch len(before) {
	case 0:
		out := nodeRefs(cmd, nil, "")
		if f := cmd.Flags().Lookup("lab"); f == nil || f.Value.String() == "" {
			out = append(out, runNames(cmd, nil, word)...)
		}
		return out
	case 1:
		root, err := cmd.Flags().GetString("runs")
		if err != nil {
			return nil
		}
		b, err := bundle.Find(root, before[0])
		if err != nil {
			return nil
		}
		logs, err := nodelog.All(b.Path(bundle.LogsDir))
		if err != nil {
			return nil
		}
		var out []cobra.Completion
		for _, l := range logs {
			if !slices.Contains(out, string(l.Node)) {
				out = append(out, string(l.Node))
			}
		}
		return out
	default:
		return nil
	}
}
