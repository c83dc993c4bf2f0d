package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/conformance/labenv"
)

func conformCommand(out *output) *cobra.Command {
	o := labenv.Options{Command: strings.Join(os.Args, " ")}
	cmd := &cobra.Command{
		Use: "conform", Short: "Judge a gateway: run the conformance cases and write a report", Args: args(cobra.NoArgs),
		Example: "  lbsim conform --gateway l7gw --case 'ROUTE-*'\n  lbsim conform --gateway my-gateway.yaml --out out/mine",
	}
	f := cmd.Flags()
	f.StringVar(&o.Gateway, "gateway", "l7gw", "driver, by name or as a manifest")
	f.StringVar(&o.BinDir, "bin", "", "directory of the binaries (default: $UNILB_BIN, else lbsim's own)")
	f.StringVar(&o.Topology, "topology", "", "topology of the library (default: the largest this machine can run)")
	f.StringSliceVar(&o.Cases, "case", nil, "patterns of case ids (default: all)")
	f.StringVar(&o.Scenarios, "scenarios", "", "compiled scenarios to run as well")
	f.StringVar(&o.Out, "out", "", "directory of the report (default: out/conformance)")
	f.StringVar(&o.Quarantine, "quarantine", "", "file of cases that do not block (default: that of the suite)")
	f.StringVar(&o.Ledger, "ledger", "", "file that is told how cases ended (default: flakes.ndjson in --out)")
	completeFlag(cmd, "gateway", orFiles(driverNames))
	completeFlag(cmd, "topology", onlyWords(topologies))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var err error
		if o.BinDir, err = binDir(o.BinDir); err != nil {
			return err
		}
		if out.json {
			o.Stdout = os.Stderr // the summary is for people; the verdict below is the result
		}
		code, err := labenv.Run(cmd.Context(), o)
		if err == nil && out.json {
			err = out.object("conform", map[string]any{"exit": code, "out": o.Out})
		}
		if code == codeGood && err == nil {
			return nil
		}
		return &exitError{code: max(code, codeWrong), err: err}
	}
	return cmd
}
