package labenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/flake"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
)

// Run judges a gateway and writes the report. It returns the exit code and,
// when the run itself could not be carried out, why.
//
// The cases run in a worker: this program, started again inside a sandbox with
// WorkCommand, for which the caller must call Work. So the caller must have called
// sandbox.Init first of all.
func Run(ctx context.Context, o Options) (int, error) {
	o, err := o.filled()
	if err != nil {
		return ExitBroken, err
	}
	m, err := loadDriver(o.Gateway)
	if err != nil {
		return ExitBadInput, err
	}
	selected, err := o.cases()
	if err == nil {
		err = o.checked()
	}
	if err != nil {
		return ExitBadInput, err
	}
	q, err := o.quarantine(time.Now())
	if err == nil {
		err = feasible(o, m)
	}
	if err != nil {
		return notFeasible(err), err
	}
	return conform(ctx, o, m, selected, q)
}

// notFeasible is the exit code for what feasible found.
func notFeasible(err error) int {
	var none *driver.NotInstalled
	if errors.As(err, &none) {
		return ExitMachine
	}
	return ExitBadInput
}

// conform runs the cases, then the scenarios (which make sandboxes of their own),
// and writes the report over whatever came of both.
func conform(ctx context.Context, o Options, m *driver.Manifest, selected []spec.Case, q *flake.Quarantine) (int, error) {
	j, err := newJudgement("", o, m, selected, q)
	if err != nil {
		return ExitBadInput, err // nothing can be written where it was asked for
	}
	if code, err := j.run(ctx); err != nil {
		return code, err
	}
	r := j.report(ctx)
	if o.Scenarios != "" && ctx.Err() == nil {
		scenarios, err := runScenarios(ctx, o)
		if err != nil {
			r.Problems = append(r.Problems, err.Error())
		}
		r.Scenarios = scenarios
	}
	if err := j.write(ctx, r); err != nil {
		return ExitBroken, err
	}
	fmt.Fprintln(o.Stderr, "report:", filepath.Join(o.Out, report.HTMLFile))
	fmt.Fprintf(o.Stderr, "the story of a request that a line names (op ID): lbsim show %s --op ID\n", shellQuote(filepath.Join(o.Out, labName)))
	if err := r.Summary(o.Stdout); err != nil {
		return ExitBroken, err
	}
	if ctx.Err() != nil {
		return ExitInterrupted, nil
	}
	return r.Exit(), nil
}

// upOrder is how a worker is told which lab to bring up.
func (o Options) upOrder(selected []spec.Case) *upOrder {
	u := &upOrder{
		Gateway: o.Gateway, Binary: o.Binary, Topology: o.Topology, BinDir: o.BinDir, Out: o.Out, Require: o.Require, Excluded: o.Excluded,
		Challenge: o.Challenge, CaseLimit: o.caseLimit, Scenarios: o.Scenarios != "", Rerun: o.again(),
	}
	for _, c := range selected {
		u.Cases = append(u.Cases, c.ID)
	}
	return u
}

// removable says whether what is in dir may be removed for a new run: directories of
// a run's names beside none of its files are somebody else's.
func removable(dir string) error {
	if holds(dir, seenFile, report.YAMLFile) {
		return nil
	}
	for _, name := range []string{labName, "evidence"} {
		if holds(dir, name) {
			return fmt.Errorf("%s is there, and no run has left it: name another directory with --out", filepath.Join(dir, name))
		}
	}
	return nil
}

// cleanOut removes what an earlier run left, and only that.
func cleanOut(dir string) error {
	if err := removable(dir); err != nil {
		return err
	}
	for _, name := range []string{labName, "evidence", seenFile, "scenarios.json", "scenarios.log", report.YAMLFile, report.HTMLFile, report.JUnitFile} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("clean %s: %w", dir, err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	return nil
}

// holds says whether one of the names is in the directory.
func holds(dir string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	})
}
