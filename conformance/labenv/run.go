package labenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/driver"
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
)

// SuiteVersion is the version of the cases and of how they are judged.
const SuiteVersion = "0.1.0"

// Options of a run.
type Options struct {
	Gateway   string   // name of a driver, or path of a manifest; "l7gw" when empty
	Topology  string   // name in the library; empty: two-az, or hello where the machine has no eBPF
	BinDir    string   // the systems under test; the directory of this program when empty
	Cases     []string // patterns of case ids; empty: all
	Scenarios string   // compiled scenarios (scenarios.test) to run as well; empty: none
	Out       string   // directory of the report; "out/conformance" when empty
	Require   []string // capabilities whose lack is a failure; $LBSIM_REQUIRE when nil
	Excluded  map[string]string
	Command   string    // how to run this again, for the report
	Stdout    io.Writer // results; os.Stdout when nil
	Stderr    io.Writer // progress; os.Stderr when nil
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
	return outside(ctx, o, m, selected)
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

// outside runs the cases in a sandbox, then the scenarios (which make their own),
// and writes the report over whatever came of both.
func outside(ctx context.Context, o Options, m *driver.Manifest, selected []spec.Case) (int, error) {
	started := time.Now()
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
		Run:     n.Run, Machine: n.Machine, Cases: n.cases, Problems: n.problems,
	}
	if o.Scenarios != "" {
		scenarios, err := runScenarios(ctx, o)
		if err != nil {
			r.Problems = append(r.Problems, err.Error())
		}
		r.Scenarios = scenarios
	}
	if ctx.Err() != nil {
		r.Problems = append(r.Problems, "interrupted")
	}
	r.Run.Started, r.Run.Took, r.Run.Command = started, time.Since(started), o.Command
	r.Fill(spec.Profiles(), m.Claims)
	if err := r.Write(o.Out); err != nil {
		return ExitBroken, err
	}
	if err := r.Summary(o.Stdout); err != nil {
		return ExitBroken, err
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

// runScenarios runs the compiled scenarios and reads their report.
func runScenarios(ctx context.Context, o Options) ([]spec.Result, error) {
	file := filepath.Join(o.Out, "scenarios.json")
	cmd := exec.CommandContext(ctx, o.Scenarios, "--ginkgo.json-report="+file, "--ginkgo.randomize-all", "--ginkgo.fail-on-empty", "--ginkgo.fail-on-pending",
		"--ginkgo.timeout=20m", "--ginkgo.poll-progress-after=60s", "--ginkgo.v")
	cmd.Env = append(os.Environ(), "UNILB_BIN="+o.BinDir, "UNILB_EVIDENCE="+filepath.Join(o.Out, "evidence"))
	log, err := os.Create(filepath.Join(o.Out, "scenarios.log"))
	if err != nil {
		return nil, fmt.Errorf("scenarios: %w", err)
	}
	defer func() { _ = log.Close() }() // a log that is cut is still a log
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	fmt.Fprintf(o.Stderr, "scenarios: %s, log in %s\n", filepath.Base(o.Scenarios), log.Name())
	runErr := cmd.Run() // its results say more than its exit code, if there are any
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("scenarios left no report: %w", errors.Join(runErr, err))
	}
	defer f.Close()
	results, err := suite.Scenarios(f, func(title string) string {
		return fmt.Sprintf("%s --ginkgo.focus %q", o.Scenarios, title)
	})
	if err != nil {
		return nil, err
	}
	bad := false
	for _, r := range results {
		fmt.Fprintln(o.Stderr, report.Line(r))
		bad = bad || r.State.Counts() == spec.Failed
	}
	if runErr != nil && !bad {
		return results, fmt.Errorf("scenarios ended badly although each of them passed: %w", runErr)
	}
	return results, nil
}
