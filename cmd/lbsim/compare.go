package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/conformance/labenv"
)

func compareCommand(out *output) *cobra.Command {
	o := labenv.CompareOptions{Options: labenv.Options{Command: os.Args}}
	cmd := &cobra.Command{
		Use: "compare BASE HEAD", Short: "Compare two builds of a gateway, or two runs of conform, by what was seen", Args: args(cobra.ExactArgs(2)),
		Example: "  lbsim compare l7gw-v1 l7gw-v2 --profile L7-ROUTING --pairs 0\n  lbsim compare out/monday out/friday --allow wanted.yaml",
		Long:    "Compare two builds of a gateway (programs, or drivers' manifests), or two runs (directories)",
	}
	f := cmd.Flags()
	f.StringVar(&o.Gateway, "gateway", "l7gw", "driver of programs, by name or as a manifest")
	f.StringVar(&o.BinDir, "bin", "", "directory of the binaries (default: $UNILB_BIN, else lbsim's own)")
	f.StringVar(&o.Topology, "topology", "", "of the library (default: the driver's, else the largest possible)")
	f.StringSliceVar(&o.Cases, "case", nil, "patterns of case ids (default: all)")
	f.StringSliceVar(&o.Profiles, "profile", nil, "only the cases of these profiles")
	f.BoolVar(&o.Core, "core", false, "only the cases of core features")
	f.StringVar(&o.Scenarios, "scenarios", "", "compiled scenarios to run as well")
	f.IntVar(&o.Pairs, "pairs", labenv.DefaultPairs, "pairs of loads; 0: compare no figures")
	f.StringVar(&o.Allow, "allow", "", "file of differences that are accepted")
	f.BoolVar(&o.Across, "across", false, "compare runs of other topologies and machines, too")
	f.StringVar(&o.Out, "out", "", "directory of the results (default: out/compare)")
	completeFlag(cmd, "gateway", orFiles(driverNames))
	completeFlag(cmd, "topology", onlyWords(topologies))
	completeFlag(cmd, "profile", onlyWords(profileNames))
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		o.Base, o.Head = a[0], a[1]
		var err error
		if o.BinDir, err = binDir(o.BinDir); err != nil {
			return err
		}
		c, code, err := labenv.Compare(cmd.Context(), o)
		if err == nil && c != nil {
			if out.json {
				err = out.object("comparison", c)
			} else {
				err = c.Text(out.to)
			}
		}
		if code == codeGood && err == nil {
			return nil
		}
		return &exitError{code: max(code, codeWrong), err: err}
	}
	return cmd
}
