package labenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

// downTimeout is how long taking the lab down may take.
const downTimeout = 30 * time.Second

// inside brings the lab up, runs the cases and notes each result as it comes, so
// that nothing is lost should this process die. Its exit code says whether the
// run was carried out, not what it found.
func inside(ctx context.Context, o Options, m *driver.Manifest, selected []spec.Case) (int, error) {
	plan, lacks, err := planFor(cmp.Or(o.Topology, m.Topology))
	if err != nil {
		return ExitBadInput, err
	}
	program, err := m.Locate(o.BinDir, "")
	if err != nil {
		return ExitMachine, err
	}
	if err := possible(o, lacks, selected); err != nil {
		return ExitMachine, err
	}
	notes, err := openNotes(o.Out)
	if err != nil {
		return ExitBroken, err
	}
	defer func() { _ = notes.Close() }() // what was written is checked in notes.err
	fleet := newFleet(m, plan, program)
	rec := history.NewRecorder(history.NewClock())
	begin := time.Now()
	fmt.Fprintf(o.Stderr, "up %s\n", plan.Lab)
	l, err := lab.Up(ctx, plan, lab.Options{
		BinDir: o.BinDir, Dir: filepath.Join(o.Out, "lab"), Recorder: rec, Gateway: fleet.command,
		Progress: func(s lab.Step) {
			fmt.Fprintf(o.Stderr, " ✓ %-10s %-60s %7s\n", s.Name, s.Text, s.Took.Round(time.Millisecond))
		},
	})
	if err != nil {
		var cannot *lab.Unavailable
		if errors.As(err, &cannot) {
			return ExitMachine, err
		}
		notes.problem(err)
		return ExitBroken, err
	}
	up := time.Since(begin)
	fmt.Fprintf(o.Stderr, "up in %s\n", up.Round(time.Millisecond))
	env := newEnv(l, fleet)
	notes.place(report.Run{Topology: plan.Lab, TopologyDigest: "sha256:" + plan.Digest(), Seed: plan.Seed, Up: up}, machine(env))
	runErr := run(ctx, o, m, env, selected, notes)
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), downTimeout)
	defer cancel()
	err = errors.Join(runErr, env.Close(), l.Down(down), rec.Snapshot().Save(filepath.Join(o.Out, "history")), notes.err)
	if err != nil {
		notes.problem(err)
		return ExitBroken, err
	}
	return ExitGood, nil
}

func run(ctx context.Context, o Options, m *driver.Manifest, env *Env, selected []spec.Case, notes *notes) error {
	var require []spec.Capability
	for _, r := range o.Require {
		require = append(require, spec.Capability(r))
	}
	if slices.Contains(o.Require, sandbox.CapEBPF) {
		require = append(require, spec.Region, spec.VPC) // what a lab without eBPF does not have
	}
	_, err := suite.Run(ctx, env, suite.Options{
		Cases: selected, Claims: m.Claims, Require: require, Excluded: o.Excluded, Evidence: filepath.Join(o.Out, "evidence"),
		Rerun: func(id string) string {
			// Elsewhere than this report, which the run would replace.
			return fmt.Sprintf("%s conform --gateway %s --case %s --out %s", filepath.Join(o.BinDir, "lbsim"), shellQuote(o.Gateway), id, o.Out+"-again")
		},
		OnResult: func(r spec.Result) {
			fmt.Fprintln(o.Stderr, report.Line(r))
			notes.result(r)
		},
	})
	return err
}

// The topologies that are taken when none is asked for.
const (
	largest  = "two-az" // scenarios need it, too
	smallest = "hello"
)

// planFor plans the topology that was asked for, or the largest one that this
// machine can run; then it also says why that is not the largest of all.
func planFor(name string) (*topology.Plan, *lab.Unavailable, error) {
	var lacks *lab.Unavailable
	if name == "" {
		name = largest
		if lacks = missing(sandbox.Probe); lacks != nil {
			name = smallest
		}
	}
	s, err := topology.LoadLibrary(name)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.Plan()
	return p, lacks, err
}

// missing says what this machine lacks for the largest topology; nil: nothing.
func missing(probe func(capability string) error) *lab.Unavailable {
	for _, c := range []string{sandbox.CapEBPF, sandbox.CapTUN} {
		if err := probe(c); err != nil {
			return &lab.Unavailable{Lab: largest, Lacks: c, Why: err, Works: "the cases that need no region (lbsim conform), lbsim up " + smallest}
		}
	}
	return nil
}

// possible says why nothing of what was asked for can run on this machine, or
// why the scenarios cannot: they must not look as if they had run. Single cases
// that cannot run are skips.
func possible(o Options, lacks *lab.Unavailable, selected []spec.Case) error {
	if o.Scenarios != "" {
		if lacks == nil {
			lacks = missing(sandbox.Probe) // a topology was asked for
		}
		if lacks != nil {
			return fmt.Errorf("scenarios: %w", lacks)
		}
	}
	if lacks == nil || slices.ContainsFunc(selected, func(c spec.Case) bool { return !needsLargest(c) }) {
		return nil
	}
	return fmt.Errorf("every case that was asked for needs more than this machine has: %w", lacks)
}

func needsLargest(c spec.Case) bool {
	return slices.ContainsFunc(c.Env, func(k spec.Capability) bool { return k == spec.Region || k == spec.VPC || k == spec.EBPF })
}

// cleanOut removes what an earlier run left, and only that.
func cleanOut(dir string) error {
	for _, name := range []string{"lab", "history", "evidence", notesFile, "scenarios.json", "scenarios.log", report.YAMLFile, report.HTMLFile, report.JUnitFile} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("clean %s: %w", dir, err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	return nil
}
