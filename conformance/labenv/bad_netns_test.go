//go:build netns

package labenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	ossignal "os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/sim/sandbox"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == WorkCommand {
		sandbox.Init()
		ctx, stop := ossignal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
		defer stop()
		code, err := work(ctx, loseWorker)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(code)
	}
	sandbox.Main(tidy{m})
}

// loseIn names the case in whose time a worker of this program panics.
const loseIn = "LABENV_TEST_LOSE_IN"

// hangingCase is an id at which a worker of this program hangs.
const hangingCase = "HANGS"

func loseWorker(o order) {
	if o.Case != nil && o.Case.ID == hangingCase {
		<-time.After(time.Hour) // until it is killed
	}
	if o.Case != nil && o.Case.ID == os.Getenv(loseIn) {
		go panic("a goroutine that some case started")
		select {} // until it does
	}
}

// tidy removes what programs built, after all tests.
type tidy struct{ m *testing.M }

func (t tidy) Run() int {
	defer func() {
		if built != "" {
			_ = os.RemoveAll(built)
		}
	}()
	return t.m.Run()
}

// built is where programs has built.
var built string

// programs builds what a small lab consists of, once.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "labenv-bin-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-trimpath", "-o", dir, "github.com/unilb/unilb/cmd/unilb-etcd", "github.com/unilb/unilb/cmd/l7admin",
		"github.com/unilb/unilb/cmd/l7gw", "./testdata/badgw").CombinedOutput()
	if err != nil {
		return "", errors.Join(fmt.Errorf("build the programs of a lab: %w\n%s", err, out), os.RemoveAll(dir))
	}
	built = dir
	return dir, nil
})

// A judged gateway: what a run left and said.
type judged struct {
	code   int
	out    string
	said   string
	report *report.Report
	took   time.Duration
}

// judgeBad judges a gateway that misbehaves in that way.
func judgeBad(t *testing.T, mode string, change func(*Options)) judged {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS)
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/bad.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	manifest := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(manifest, bytes.ReplaceAll(text, []byte("the mode"), []byte(mode)), 0o644); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	o := Options{
		Gateway: manifest, BinDir: bin, Topology: "hello", Out: filepath.Join(dir, "out"), Require: []string{},
		Cases: []string{"ROUTE-EXACT", "ROUTE-HOST", "ROUTE-NONE-404"}, Stdout: &said, Stderr: &said,
	}
	if change != nil {
		change(&o)
	}
	begin := time.Now()
	code, err := Run(t.Context(), o)
	j := judged{code: code, out: o.Out, took: time.Since(begin)}
	j.said = said.String()
	if err != nil {
		t.Fatalf("got %d, %v\n%s", code, err, j.said)
	}
	f, err := os.Open(filepath.Join(o.Out, report.YAMLFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if j.report, err = report.Read(f); err != nil {
		t.Fatal(err)
	}
	return j
}

func (j judged) result(t *testing.T, id string) spec.Result {
	t.Helper()
	for _, r := range j.report.Cases {
		if r.Case == id {
			return r
		}
	}
	t.Errorf("no result of %s", id)
	return spec.Result{}
}

// state is what became of a case; its sayings joined.
func (j judged) state(t *testing.T, id string) (spec.State, string) {
	t.Helper()
	r := j.result(t, id)
	return r.State, strings.Join(r.Says, "\n")
}

func (j judged) want(t *testing.T, id string, state spec.State, says string) {
	t.Helper()
	got, said := j.state(t, id)
	if got != state || !strings.Contains(said, says) {
		t.Errorf("%s: got %s, %q, want %s with %q", id, got, said, state, says)
	}
}

func TestGatewayThatDoesNotStartIsWrongAndNoCaseWaitsForIt(t *testing.T) {
	t.Parallel()
	for mode, says := range map[string]string{"exits": "badgw: cannot read its configuration", "is-never-ready": "not within 3s"} {
		j := judgeBad(t, mode, nil)
		j.want(t, startRow, spec.Fail, says)
		for _, id := range []string{"ROUTE-EXACT", "ROUTE-HOST", "ROUTE-NONE-404"} {
			j.want(t, id, spec.Unproven, "there is no gateway")
		}
		if j.code != ExitWrong || len(j.report.Problems) > 0 {
			t.Errorf("%s: got exit %d and problems %q, want %d and none", mode, j.code, j.report.Problems, ExitWrong)
		}
	}
}

func TestGatewayThatDiesFailsThatCaseAndIsStartedAgain(t *testing.T) {
	t.Parallel()
	j := judgeBad(t, "dies", nil)
	j.want(t, "ROUTE-EXACT", spec.Fail, "ended while this case ran: exit code 9\nits last lines:")
	j.want(t, "ROUTE-EXACT", spec.Fail, "was one too many")
	j.want(t, "ROUTE-NONE-404", spec.Pass, "")
	j.want(t, lifeRow, spec.Fail, "ended in ROUTE-EXACT: exit code 9")
	j.want(t, drainRow, spec.Pass, "")
	if j.code != ExitWrong {
		t.Errorf("got exit %d, want %d", j.code, ExitWrong)
	}
}

func TestGatewayThatCannotBeStartedAgainFailsTheRestAtOnce(t *testing.T) {
	t.Parallel()
	j := judgeBad(t, "dies-for-good", nil)
	j.want(t, "ROUTE-EXACT", spec.Fail, "exit code 9")
	j.want(t, "ROUTE-HOST", spec.Unproven, "there is no gateway")
	j.want(t, "ROUTE-NONE-404", spec.Unproven, "there is no gateway")
	j.want(t, lifeRow, spec.Fail, "cannot be started again")
	for _, r := range j.report.Cases {
		if r.State == spec.Unproven && r.Took > 0 {
			t.Errorf("%s took %s", r.Case, r.Took)
		}
	}
}

func TestGatewayThatHangsOnDrainFailsByName(t *testing.T) {
	t.Parallel()
	j := judgeBad(t, "hangs", nil)
	j.want(t, drainRow, spec.Fail, "does not end within 1s of SIGTERM")
	j.want(t, "ROUTE-NONE-404", spec.Pass, "")
	if j.code != ExitWrong {
		t.Errorf("got exit %d, want %d", j.code, ExitWrong)
	}
}

func TestRoundsGiveOneResultACaseAndNamesThatDoNotMeet(t *testing.T) {
	t.Parallel()
	j := judgeBad(t, "", func(o *Options) { o.Repeat, o.Cases = 3, []string{"ROUTE-NONE-404", "ROUTE-EXACT"} })
	for id, want := range map[string]spec.State{"ROUTE-NONE-404": spec.Pass, "ROUTE-EXACT": spec.Fail} {
		if r := j.result(t, id); r.State != want || r.Runs != 3 || r.Flaky {
			t.Errorf("%s: got %s of %d runs, flaky %v, want %s of 3, the same each time", id, r.State, r.Runs, r.Flaky, want)
		}
	}
	for _, text := range []string{"route-exact-n0.example", "route-exact-n1.example", "route-exact-n2.example", "blocking part: failure"} {
		if !strings.Contains(j.said, text) {
			t.Errorf("nothing is said of %s\n%s", text, j.said)
		}
	}
	if n := strings.Count(j.said, "blocking part: "); n != 1 {
		t.Errorf("the verdict of the blocking part was said %d times\n%s", n, j.said)
	}
}

func TestGatewayThatLiesAboutItsRevisionIsCaught(t *testing.T) {
	t.Parallel()
	j := judgeBad(t, "lies", nil)
	j.want(t, revisionRow, spec.Fail, "in force, but does not show a new route: not within 2s")
	j.want(t, "ROUTE-EXACT", spec.Fail, "want 200 from")
}

func TestGatewayThatNeverSaysThatAChangeIsInForceTakesNoHours(t *testing.T) {
	t.Parallel()
	j := judgeBad(t, "never-says", func(o *Options) { o.Cases = []string{"ROUTE-NONE-404", "ROUTE-HOST", "ROUTE-METHOD"} })
	j.want(t, revisionRow, spec.Fail, "is never in force")
	j.want(t, "ROUTE-HOST", spec.Fail, "does not come into force")
	j.want(t, "ROUTE-METHOD", spec.Fail, "does not come into force")
	j.want(t, "ROUTE-NONE-404", spec.Pass, "")
	for _, r := range j.report.Cases {
		if r.Case != revisionRow && r.Took > 20*time.Second {
			t.Errorf("%s took %s, although it was known that no change comes into force", r.Case, r.Took)
		}
	}
}

func TestGatewayThatFloodsItsLogIsWarnedOfAndFillsNoDisk(t *testing.T) {
	t.Parallel()
	j := judgeBad(t, "floods", func(o *Options) { o.Cases = []string{"ROUTE-NONE-404"} })
	j.want(t, lifeRow, spec.Warn, "floods its log: the lab removed ")
	logs, err := filepath.Glob(filepath.Join(j.out, "lab", "logs", "*", "*", "*", "gateway.log"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("logs %q, %v", logs, err)
	}
	b, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > proc.DefaultMaxLog+1<<10 || !bytes.HasPrefix(b, []byte("[the lab removed ")) {
		t.Errorf("the log has %d bytes and begins with %.60q", len(b), b)
	}
}

func TestGatewayThatAnswersGarbageFailsEveryCaseAndOnlyThose(t *testing.T) {
	t.Parallel()
	j := judgeBad(t, "garbage", nil)
	for _, id := range []string{"ROUTE-EXACT", "ROUTE-HOST", "ROUTE-NONE-404"} {
		j.want(t, id, spec.Fail, "")
	}
	j.want(t, lifeRow, spec.Pass, "")
	if j.code != ExitWrong || len(j.report.Problems) > 0 {
		t.Errorf("got exit %d and problems %q, want %d and none", j.code, j.report.Problems, ExitWrong)
	}
}

// enough is a case's time where no answer comes, and the test would wait for all of it.
const enough = 8 * time.Second

func TestMuteGatewayTakesNoHours(t *testing.T) {
	t.Parallel()
	ids := []string{"ROUTE-EXACT", "ROUTE-PREFIX", "ROUTE-HOST", "ROUTE-METHOD", "ROUTE-NONE-404"}
	j := judgeBad(t, "mute", func(o *Options) { o.Cases, o.caseLimit = ids, enough })
	short := 0
	for _, id := range ids {
		j.want(t, id, spec.Fail, "")
		if _, says := j.state(t, id); strings.Contains(says, "its limit was cut to 2s") {
			short++
		}
	}
	if want := len(ids) - muteAfter; short != want {
		t.Errorf("%d cases were cut short, want %d\n%s", short, want, j.said)
	}
	j.want(t, lifeRow, spec.Warn, "mute: no request of 3 cases in a row got a response")
	if j.code != ExitWrong {
		t.Errorf("got exit %d, want %d", j.code, ExitWrong)
	}
}

func TestGatewayThatSpeaksAgainGetsItsTimeBack(t *testing.T) {
	t.Parallel()
	j := judgeBad(t, "wakes", func(o *Options) {
		o.Cases, o.caseLimit = []string{"ROUTE-EXACT", "ROUTE-PREFIX", "ROUTE-HOST", "ROUTE-METHOD", "ROUTE-NONE-404"}, enough
	})
	j.want(t, "ROUTE-METHOD", spec.Fail, "its limit was cut to 2s")
	j.want(t, "ROUTE-NONE-404", spec.Pass, "") // its first answer is wrong, and comes while the limit is short
	j.want(t, lifeRow, spec.Warn, "so 2 cases that followed had 2s each")
}

func TestLostWorkerCostsOneCase(t *testing.T) {
	t.Setenv(loseIn, "ROUTE-HOST")
	j := judgeBad(t, "lies", func(o *Options) { o.Cases = []string{"ROUTE-EXACT", "ROUTE-HOST", "ROUTE-METHOD", "ROUTE-NONE-404"} })
	j.want(t, "ROUTE-EXACT", spec.Fail, "want 200 from")
	j.want(t, "ROUTE-HOST", spec.Broken, "the process that ran the cases ended: exit code 2")
	j.want(t, "ROUTE-METHOD", spec.Fail, "")
	j.want(t, "ROUTE-NONE-404", spec.Pass, "")
	j.want(t, lifeRow, spec.Pass, "")
	j.want(t, drainRow, spec.Pass, "")
	if len(j.report.Problems) != 1 || !strings.Contains(j.report.Problems[0], "exit code 2") {
		t.Errorf("problems %q, want the worker that was lost", j.report.Problems)
	}
}

func TestOrderThatHangsEndsTheWorkerByItsLimit(t *testing.T) {
	t.Parallel()
	sandbox.Require(t, sandbox.CapNetNS)
	h, err := startHand(func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer h.close(errors.New("the test is over"))
	h.limit = func(order) time.Duration { return 100 * time.Millisecond }
	_, err = h.do(t.Context(), order{Case: &caseOrder{ID: hangingCase}})
	if err == nil || !strings.Contains(err.Error(), "not done within 100ms") || h.lost == nil || h.closed {
		t.Errorf("got %v, lost %v, closed %t, want a lost worker and why", err, h.lost, h.closed)
	}
}

func TestLabThatDoesNotComeUpIsUndecidedAndNotTheGatewaysFault(t *testing.T) {
	t.Parallel()
	j := judgeBad(t, "lies", func(o *Options) {
		dir := t.TempDir()
		for _, name := range []string{"l7admin", "badgw"} {
			if err := os.Symlink(filepath.Join(o.BinDir, name), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "unilb-etcd"), []byte("#!/bin/sh\nexit 3\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		o.BinDir = dir
	})
	j.want(t, "ROUTE-EXACT", spec.Broken, "not run")
	if j.code != ExitUndecided || len(j.report.Problems) != 1 || !strings.Contains(j.report.Problems[0], "unilb-etcd") {
		t.Errorf("got exit %d and problems %q, want %d and the process that failed", j.code, j.report.Problems, ExitUndecided)
	}
}
