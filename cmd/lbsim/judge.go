package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/scenario"
)

func judgeCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{
		Use: "judge [RUN]", Short: "Let today's checks judge what a run recorded", Args: args(cobra.MaximumNArgs(1)),
		Example: "  lbsim judge\n  lbsim judge az-loss\n  lbsim judge runs/az-loss/2026-03-02T10-14-05-42",
	}
	cmd.ValidArgsFunction = onlyWords(first(runNames))
	root := runsFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, a []string) error {
		b, err := findRun(*root, a)
		if err != nil {
			return err
		}
		v, notes, err := scenario.Rejudge(b)
		if err != nil {
			return inputError(err)
		}
		for _, n := range notes {
			progress("note: %s", n)
		}
		if err := printJudged(out, b, v, notes); err != nil {
			return err
		}
		if code := scenario.ExitOf(v.Result); code != codeGood {
			return &exitError{code: code}
		}
		return nil
	}
	return cmd
}

func rerunCommand(out *output) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use: "rerun [RUN]", Short: "Run a scenario again as an earlier run had it: text, seed, topology, gateway", Args: args(cobra.MaximumNArgs(1)),
		Example: "  lbsim rerun\n  lbsim rerun az-loss/2026-03-02T10-14-05-42 --gateway-binary bin/l7gw",
	}
	cmd.ValidArgsFunction = onlyWords(first(runNames))
	root := runsFlag(cmd)
	cmd.Flags().StringVar(&o.binary, "gateway-binary", "", "another build of the gateway (default: that of the earlier run)")
	cmd.Flags().StringVar(&o.bin, "bin", "", "directory of the binaries (default: $UNILB_BIN, else lbsim's own)")
	cmd.Flags().BoolVar(&o.keep, "keep", false, "leave the lab up; what it leaves behind is not judged then")
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		b, err := findRun(*root, a)
		if err != nil {
			return err
		}
		order, s, err := o.again(b)
		if err != nil {
			return err
		}
		o.root = *root
		if err := o.describe(&order, s); err != nil {
			return err
		}
		return o.run(cmd.Context(), out, order, s)
	}
	return cmd
}

// again reads the order of an earlier run.
func (o *runOptions) again(b *bundle.Bundle) (scenario.Order, *scenario.Scenario, error) {
	var earlier bundle.Run
	if err := b.ReadYAML(bundle.RunFile, &earlier); err != nil {
		return scenario.Order{}, nil, inputError(err)
	}
	o.driver = earlier.Driver
	if o.binary == "" {
		o.binary = earlier.Binary
	}
	order := scenario.Order{Path: earlier.Scenario, Seed: earlier.Seed, Set: earlier.Set, Keep: o.keep}
	var err error
	if order.Text, err = b.Read(bundle.ScenarioFile); err != nil {
		return order, nil, inputError(err)
	}
	if strings.ContainsAny(earlier.Topology, "/.") {
		if order.Topology, err = b.Read(bundle.TopologyFile); err != nil {
			return order, nil, inputError(err)
		}
	}
	s, err := order.Parse()
	if err != nil {
		return order, nil, inputOf(fmt.Errorf("scenario of %s: %w", b.Name(), err))
	}
	return order, s, nil
}
