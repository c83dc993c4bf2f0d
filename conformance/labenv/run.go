package labenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/flake"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
	"github.com/unilb/unilb/sim/sandbox"
)

// Exit codes of Run, as lbsim documents them.
const (
	ExitGood      = 0
	ExitWrong     = 1
	ExitUndecided = 2
	ExitBadInput  = 3
	ExitMachine   = 4
	ExitBroken    = 5
	// ExitInterrupted: somebody ended the run; nothing is left of it.
	ExitInterrupted = 130
)

// SuiteVersion is the version of the cases and of how they are judged.
const SuiteVersion = "0.1.0"

// Options of a run.
type Options struct {
	Gateway    string   // name of a driver, or path of a manifest; "l7gw" when empty
	Topology   string   // name in the library; empty: two-az, or hello where the machine has no eBPF
	BinDir     string   // the systems under test; the directory of this program when empty
	Cases      []string // patterns of case ids; empty: all
	Scenarios  string   // compiled scenarios (scenarios.test) to run as well; empty: none
	Out        string   // directory of the report; "out/conformance" when empty
	Require    []string // capabilities whose lack is a failure; $LBSIM_REQUIRE when nil
	Excluded   map[string]string
	Quarantine string    // file of cases that do not block; that of the suite when empty
	Ledger     string    // file that is told how each case ended; flakes.ndjson in Out when empty
	Command    string    // how to run this again, for the report
	Stdout     io.Writer // results; os.Stdout when nil
	Stderr     io.Writer // progress; os.Stderr when nil
}

// Run judges a gateway and writes the report. It returns the exit code and,
// when the run itself could not be carried out, why.
//
// Outside a sandbox it starts this program again inside one, with the same
// arguments, and there the same call runs the cases. So the caller must have
// called sandbox.Init first of all, and must not have changed anything that a
// second call with the same arguments would find changed.
func Run(ctx context.Context, o Options) (int, error) {
	o, err := o.filled()
	if err != nil {
		return ExitBroken, err
	}
	m, err := loadDriver(o.Gateway)
	if err != nil {
		return ExitBadInput, err
	}
	selected, err := suite.Select(cases.All(), o.Cases)
	if err != nil {
		return ExitBadInput, err
	}
	if sandbox.Inside() {
		return inside(ctx, o, m, selected)
	}
	q, err := o.quarantine(time.Now())
	if err != nil {
		return ExitBadInput, err
	}
	return outside(ctx, o, m, selected, q)
}

func (o Options) filled() (Options, error) {
	if o.Gateway == "" {
		o.Gateway = "l7gw"
	}
	if o.Out == "" {
		o.Out = filepath.Join("out", "conformance")
	}
	if o.BinDir == "" {
		self, err := os.Executable()
		if err != nil {
			return o, fmt.Errorf("find the binaries: %w", err)
		}
		o.BinDir = filepath.Dir(self)
	}
	if o.Require == nil {
		o.Require = strings.FieldsFunc(os.Getenv("LBSIM_REQUIRE"), func(r rune) bool { return r == ',' })
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	var err error
	for _, dir := range []*string{&o.Out, &o.BinDir} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return o, err
		}
	}
	if o.Scenarios != "" {
		if o.Scenarios, err = filepath.Abs(o.Scenarios); err != nil {
			return o, err
		}
	}
	return o, nil
}

// feasible finds what makes a run pointless before anything of an earlier run is
// removed: an unknown topology, programs that are not there.
func feasible(o Options, m *driver.Manifest) error {
	plan, _, err := planFor(cmp.Or(o.Topology, m.Topology))
	if err != nil {
		return err
	}
	if err := checkPrograms(m, plan, o.BinDir, ""); err != nil {
		return err
	}
	if o.Scenarios == "" {
		return nil
	}
	if _, err := os.Stat(o.Scenarios); err != nil {
		return fmt.Errorf("scenarios: %w", err)
	}
	return nil
}

// outside runs the cases in a sandbox, then the scenarios (which make their own),
// and writes the report over whatever came of both.
func outside(ctx context.Context, o Options, m *driver.Manifest, selected []spec.Case, q *flake.Quarantine) (int, error) {
	started := time.Now()
	if err := feasible(o, m); err != nil {
		var none *driver.NotInstalled
		if errors.As(err, &none) {
			return ExitMachine, err
		}
		return ExitBadInput, err
	}
	if err := cleanOut(o.Out); err != nil {
		return ExitBroken, err
	}
	code, err := inSandbox(ctx)
	if err != nil {
		var missing *sandbox.Unavailable
		if errors.As(err, &missing) {
			return ExitMachine, fmt.Errorf("%w; what still works: l7gw --standalone, make test", err)
		}
		return ExitBroken, err
	}
	if code == ExitBadInput || code == ExitMachine {
		return code, nil // said already
	}
	n := readNotes(o.Out, selected)
	if code != ExitGood && len(n.problems) == 0 {
		n.problems = append(n.problems, fmt.Sprintf("the run of the cases ended with exit code %d", code))
	}
	r := &report.Report{
		Suite:   report.Suite{Version: SuiteVersion, Commit: commit(), Cases: suite.Digest(cases.All())},
		Gateway: gatewayIdentity(ctx, o, m),
		Run:     n.Run, Machine: n.Machine, Cases: suite.Merge(n.cases), Problems: n.problems,
	}
	if o.Scenarios != "" && ctx.Err() == nil {
		scenarios, err := runScenarios(ctx, o)
		if err != nil {
			r.Problems = append(r.Problems, err.Error())
		}
		r.Scenarios = scenarios
	}
	if ctx.Err() != nil {
		r.Problems = append(r.Problems, "interrupted")
	}
	r.Run.Left = len(cases.All()) - len(selected)
	r.Run.Started, r.Run.Took, r.Run.Command = started, time.Since(started), o.Command
	if err := o.reliability(r, q); err != nil {
		r.Problems = append(r.Problems, err.Error())
	}
	r.Fill(spec.Profiles(), m.Claims)
	if err := r.Write(o.Out); err != nil {
		return ExitBroken, err
	}
	fmt.Fprintln(o.Stderr, "report:", filepath.Join(o.Out, report.HTMLFile))
	if err := r.Summary(o.Stdout); err != nil {
		return ExitBroken, err
	}
	if ctx.Err() != nil {
		return ExitInterrupted, nil
	}
	return r.Exit(), nil
}

// inSandbox runs this program inside a sandbox to its end.
func inSandbox(ctx context.Context) (int, error) {
	box, err := sandbox.Start(sandbox.Options{})
	if err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { _ = box.Signal(unix.SIGTERM) }) // it may have ended by itself
	defer stop()
	return box.Wait()
}
