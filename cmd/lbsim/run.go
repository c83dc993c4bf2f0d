package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/labenv"
	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
	"github.com/unilb/unilb/sim/scenario"
)

// runOptions are the flags of run.
type runOptions struct {
	driver, binary, bin, root, name string
	set                             []string
	seed                            uint64
	keep                            bool
}

func runCommand(out *output) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use: "run SCENARIO|FILE", Short: "Reproduce an incident in a lab of its own, and judge what happened", Args: args(cobra.ExactArgs(1)),
		Example: "  lbsim run az-loss\n  lbsim run my.yaml --gateway-binary ./l7gw-new --seed 7",
	}
	f := cmd.Flags()
	f.StringVar(&o.driver, "gateway", "", "driver, by name or as a manifest (default: the topology's)")
	f.StringVar(&o.binary, "gateway-binary", "", "file to start in the place of the driver's program")
	f.StringVar(&o.bin, "bin", "", "directory of the binaries (default: $UNILB_BIN, else lbsim's own)")
	f.StringVar(&o.root, "runs", bundle.DefaultRoot, "directory of the runs")
	f.StringVar(&o.name, "name", "", "name of the lab (default: the topology's, and the process id)")
	f.StringArrayVar(&o.set, "set", nil, "override one value of the topology, e.g. regions.bj.azs.az1.l7=1")
	f.Uint64Var(&o.seed, "seed", 0, "everything random follows from it (default: what the scenario says)")
	f.BoolVar(&o.keep, "keep", false, "leave the lab up; what it leaves behind is not judged then")
	cmd.ValidArgsFunction = orFiles(first(scenarios))
	completeFlag(cmd, "gateway", orFiles(driverNames))
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		order, s, err := o.order(a[0])
		if err != nil {
			return err
		}
		return o.run(cmd.Context(), out, order, s)
	}
	return cmd
}

// order reads the scenario and everything that goes with it.
func (o *runOptions) order(name string) (scenario.Order, *scenario.Scenario, error) {
	order, s, err := read(name, o.set, o.seed)
	if err != nil {
		return order, nil, err
	}
	order.Keep = o.keep
	return order, s, o.describe(&order, s)
}

// describe fills in what is known of the run before it begins.
func (o *runOptions) describe(order *scenario.Order, s *scenario.Scenario) error {
	var err error
	if o.bin, err = binDir(o.bin); err != nil {
		return err
	}
	if o.binary != "" {
		if o.binary, err = filepath.Abs(o.binary); err != nil {
			return fmt.Errorf("find --gateway-binary: %w", err)
		}
	}
	if o.root, err = filepath.Abs(o.root); err != nil {
		return fmt.Errorf("find --runs: %w", err)
	}
	if err := lab.CheckBinaries(s.Plan, o.bin); err != nil {
		return err
	}
	if order.Run, err = runOf(o, order, s); err != nil {
		return err
	}
	return supervisor.CheckFree(order.Run.Lab) // before there is a directory of the run
}

// run starts the job, prints what it says and ends with its exit code.
func (o *runOptions) run(ctx context.Context, out *output, order scenario.Order, s *scenario.Scenario) error {
	if ctx.Err() != nil {
		return context.Cause(ctx) // before there is anything to keep
	}
	b, err := bundle.Create(o.root, s.File.Scenario, order.Run.Started, s.Seed)
	if err != nil {
		return err
	}
	order.Dir = b.Dir
	order.Rerun = "lbsim rerun " + b.Name()
	if err := b.WriteYAML(bundle.RunFile, order.Run); err != nil {
		return err
	}
	job, err := json.Marshal(jobOrder{Order: order, Driver: o.driver, Binary: o.binary})
	if err != nil {
		return fmt.Errorf("write order: %w", err)
	}
	tell := &teller{out: out}
	if err := tell.begin(order, s); err != nil {
		return err
	}
	impatient, stop := secondInterrupt(ctx)
	defer stop()
	s.Plan.Lab = order.Run.Lab
	code, err := supervisor.Run(ctx, supervisor.RunOptions{
		LaunchOptions: supervisor.LaunchOptions{Plan: s.Plan, Topology: s.File.Topology, BinDir: o.bin, Dir: b.Dir, Args: []string{"supervise"}, Progress: tell.step},
		Job:           job, Said: tell.line, Impatient: impatient,
	})
	switch {
	case errors.Is(err, supervisor.ErrImpatient):
		return &exitError{code: codeInterrupted, err: fmt.Errorf("left at once; to clean up: lbsim down %s", order.Run.Lab)}
	case err != nil:
		return fmt.Errorf("run %s: %w", s.File.Scenario, err)
	case tell.err != nil:
		return tell.err
	case code != codeGood:
		return &exitError{code: code}
	}
	return nil
}

// secondInterrupt returns a channel that is closed by the first interrupt after
// the one that ended ctx.
func secondInterrupt(ctx context.Context) (<-chan struct{}, func()) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	impatient, done := make(chan struct{}), make(chan struct{})
	go func() {
		for n := 0; ; {
			select {
			case <-signals:
				if n++; n == 1 {
					progress("interrupted: healing, taking down and keeping the evidence; once more to leave at once")
					continue
				}
				close(impatient)
				return
			case <-done:
				return
			}
		}
	}()
	return impatient, func() { signal.Stop(signals); close(done) }
}

// jobOrder is what the supervisor needs beside the scenario's order.
type jobOrder struct {
	scenario.Order
	Driver string `json:"driver,omitempty"`
	Binary string `json:"binary,omitempty"`
}

// makeJob is the supervisor's side of run.
func makeJob(raw json.RawMessage) (supervisor.Job, error) {
	var o jobOrder
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, fmt.Errorf("read order of the run: %w", err)
	}
	s, err := o.Parse()
	if err != nil {
		return nil, err
	}
	gateway, err := labenv.Gateways(s.Plan, o.Driver, o.Binary)
	if err != nil {
		return nil, err
	}
	return scenario.NewJob(o.Order, gateway)
}
