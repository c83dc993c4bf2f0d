package labenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
	"github.com/unilb/unilb/sim/lab"
)

// scenarioRounds is how often a scenario runs on each side when the first round
// ended differently.
const scenarioRounds = 3

// checkScenarios refuses scenarios for builds that they cannot start: they start our
// own gateway, by its file's name.
func (o CompareOptions) checkScenarios(sides [2]*judgement) error {
	if o.Scenarios == "" {
		return nil
	}
	if _, err := os.Stat(o.Scenarios); err != nil {
		return fmt.Errorf("scenarios: %w", err)
	}
	for _, s := range sides {
		if s.m.Name != lab.GatewayBinary || s.o.Binary == "" {
			return fmt.Errorf("%s: scenarios start programs of %s only; give two programs, or leave --scenarios out", s.name, lab.GatewayBinary)
		}
	}
	return nil
}

// scenarios runs every scenario on both sides in turn.
func (d *duel) scenarios(ctx context.Context) {
	if d.o.Scenarios == "" || ctx.Err() != nil {
		return
	}
	titles, err := d.titles(ctx)
	if err != nil {
		d.problem(err.Error())
		return
	}
	for i, s := range d.sides {
		if err := linkBinaries(d.o.BinDir, s.binDir(), s.o.Binary); err != nil {
			d.problem(err.Error())
			return
		}
		defer func() { _ = os.RemoveAll(d.sides[i].binDir()) }() // only links
	}
	for i, title := range titles {
		var seen [2][]compare.Seen
		until := func(n int) {
			for round := len(seen[0]); round < n && ctx.Err() == nil; round++ {
				for k := range 2 {
					side := (i + round + k) % 2
					seen[side] = append(seen[side], d.sides[side].scenario(ctx, d.o.Scenarios, title))
				}
			}
		}
		until(1)
		if len(compare.Case(seen[0], seen[1])) > 0 {
			until(scenarioRounds)
		}
		if ctx.Err() != nil {
			return
		}
		d.c.Differences = append(d.c.Differences, compare.Case(seen[0], seen[1])...)
		d.c.Scenarios++
	}
}

// binDir is where the binaries of a side are, its own gateway among them.
func (j *judgement) binDir() string { return filepath.Join(j.o.Out, "bin") }

// linkBinaries fills a directory with links to all binaries, and to another gateway.
func linkBinaries(from, to, gateway string) error {
	if err := errors.Join(os.RemoveAll(to), os.MkdirAll(to, 0o755)); err != nil {
		return fmt.Errorf("link binaries: %w", err)
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return fmt.Errorf("link binaries: %w", err)
	}
	for _, e := range entries {
		target := filepath.Join(from, e.Name())
		if e.Name() == lab.GatewayBinary {
			target = gateway
		}
		if err := os.Symlink(target, filepath.Join(to, e.Name())); err != nil {
			return fmt.Errorf("link binaries: %w", err)
		}
	}
	return nil
}

// titles asks the compiled scenarios what they hold.
func (d *duel) titles(ctx context.Context) ([]string, error) {
	results, err := ginkgo(ctx, d.o.Scenarios, filepath.Join(d.o.Out, "scenarios"), append(os.Environ(), Asked{}.env()...), "--ginkgo.dry-run")
	if err != nil {
		return nil, fmt.Errorf("list the scenarios: %w", err)
	}
	var out []string
	for _, r := range results {
		if r.State != spec.Skip { // somebody left it out
			out = append(out, r.Case)
		}
	}
	return out, nil
}

// scenario runs one scenario on one side.
func (j *judgement) scenario(ctx context.Context, program, title string) compare.Seen {
	env := append(os.Environ(), "UNILB_BIN="+j.binDir(), "UNILB_EVIDENCE="+filepath.Join(j.o.Out, "evidence"))
	env = append(env, Asked{}.env()...) // the links say which gateway
	results, err := ginkgo(ctx, program, filepath.Join(j.o.Out, "scenario"), env, "--ginkgo.focus="+regexp.QuoteMeta(title)+"$", "--ginkgo.fail-on-empty")
	for _, r := range results {
		if r.Case == title && err == nil {
			j.line(report.Line(r))
			return outcomeOf(r)
		}
	}
	says := "it has no result"
	if err != nil {
		says = err.Error()
	}
	return compare.Seen{Case: title, State: spec.Broken, Says: []string{says}}
}

// ginkgo runs the compiled scenarios and reads their report; file is what their log
// and report are called.
func ginkgo(ctx context.Context, program, file string, env []string, args ...string) ([]spec.Result, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	log, err := os.Create(file + ".log")
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // a log that is cut is still a log
	cmd := exec.CommandContext(ctx, program, append(args, "--ginkgo.json-report="+file+".json", "--ginkgo.timeout=20m", "--ginkgo.v")...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, log, log
	interruptible(cmd)
	runErr := cmd.Run() // its results say more than its exit code, if there are any
	f, err := os.Open(file + ".json")
	if err != nil {
		return nil, errors.Join(runErr, err)
	}
	defer f.Close()
	return suite.Scenarios(f, nil)
}
