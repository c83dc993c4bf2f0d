package main

import (
	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/bundle"
)

// runsFlag is how commands that read runs are told where they are.
func runsFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("runs", bundle.DefaultRoot, "directory of the runs")
}

// findRun opens the run that is named, the newest without a name.
func findRun(root string, a []string) (*bundle.Bundle, error) {
	name := "latest"
	if len(a) > 0 {
		name = a[0]
	}
	b, err := bundle.Find(root, name)
	if err != nil {
		return nil, inputOf(err)
	}
	return b, nil
}
