package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/conformance/labenv"
)

func conformCommand(out *output) *cobra.Command {
	o := labenv.Options{Command: os.Args}
	cmd := &cobra.Command{
		Use: "conform", Short: "Judge a gateway: run the conformance cases and write a report", Args: args(cobra.NoArgs),
		Example: "  lbsim conform --gateway l7gw --gateway-binary ./l7gw-new --core --repeat 20",
	}
	f := cmd.Flags()
	f.StringVar(&o.Gateway, "gateway", "l7gw", "driver, by name or as a manifest")
	f.StringVar(&o.Binary, "gateway-binary", "", "file to start in the place of the driver's program")
	f.StringVar(&o.BinDir, "bin", "", "directory of the binaries (default: $UNILB_BIN, else lbsim's own)")
	f.StringVar(&o.Topology, "topology", "", "of the library (default: the driver's, else the largest possible)")
	f.StringSliceVar(&o.Cases, "case", nil, "patterns of case ids (default: all)")
	f.StringSliceVar(&o.Profiles, "profile", nil, "only the cases of these profiles")
	f.BoolVar(&o.Core, "core", false, "only the cases of core features, which a release waits for")
	f.BoolVar(&o.Challenge, "challenge", false, "run the cases of unclaimed features, too; they never count")
	f.IntVar(&o.Repeat, "repeat", 1, "run the cases so many times in the same lab")
	f.StringVar(&o.Scenarios, "scenarios", "", "compiled scenarios to run as well")
	f.StringVar(&o.Out, "out", "", "directory of the report (default: out/conformance-GATEWAY)")
	f.StringVar(&o.Quarantine, "quarantine", "", "file of cases that do not block (default: that of the suite)")
	f.StringVar(&o.Ledger, "ledger", "", "file that is told how cases ended (default: flakes.ndjson in --out)")
	completeFlag(cmd, "gateway", orFiles(driverNames))
	completeFlag(cmd, "topology", onlyWords(topologies))
	completeFlag(cmd, "profile", onlyWords(profileNames))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.Repeat < 1 { // labenv takes 0 for once; whoever says 0 means something else
			return inputError(fmt.Errorf("--repeat %d: want 1 to %d", o.Repeat, labenv.MaxRepeat))
		}
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

// workCommand is what conform and compare start inside a sandbox.
func workCommand() *cobra.Command {
	return &cobra.Command{Use: labenv.WorkCommand, Hidden: true, Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		code, err := labenv.Work(cmd.Context())
		if code == codeGood && err == nil {
			return nil
		}
		return &exitError{code: max(code, codeWrong), err: err}
	}}
}
