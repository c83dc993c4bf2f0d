package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
)

// recorded is a job with 40 requests that were answered, without any lab.
func recorded(t *testing.T, checks string) *Job {
	t.Helper()
	scenario, _, _ := strings.Cut(good, "checks:")
	j := &Job{
		s:      parsed(t, scenario+"checks: "+checks+"\n", 0),
		bundle: &bundle.Bundle{Dir: filepath.Join(t.TempDir(), "x", "2026-03-02T10-14-05-42")}, region: &act.Region{}, rec: history.NewRecorder(history.NewClock()),
	}
	for i := range 40 {
		id, at := fmt.Sprintf("blog-%d", i), time.Duration(i)*time.Millisecond
		asked := history.Request{Method: "GET", Target: "/", Host: "blog.example"}
		j.rec.Arrival(history.Arrival{ID: id, Backend: "idc/bj/blue-1", From: "10.0.0.1:4000", At: at, Seen: asked, Answer: &history.Answer{Status: 200}})
		j.rec.Op(history.Op{
			ID: id, Stream: "blog", Client: "client/inet-1", Kind: "http", To: "10.0.0.2:80", Sent: at, Returned: at + time.Millisecond,
			Request: asked, Response: &history.Response{Status: 200, Backend: "idc/bj/blue-1"}, Outcome: history.OK,
		})
	}
	// What a wait asked before anybody promised an answer is no load.
	j.rec.Op(history.Op{ID: "probe-1", Stream: "probe/serves-blog", Client: "client/inet-1", Kind: "http", To: "10.0.0.2:80", Outcome: history.Fail, Class: history.ClassRefused})
	return j
}

// judged is a run that has been judged and kept.
func judged(t *testing.T) (*bundle.Bundle, bundle.Verdict) {
	t.Helper()
	j := recorded(t, "[no-request-lost]")
	v := j.sum(j.check(nil), false)
	if err := errors.Join(j.save(), j.bundle.WriteJSON(bundle.ChecksFile, j.s.File.Checks), j.bundle.WriteYAML(bundle.VerdictFile, v), j.bundle.Seal()); err != nil {
		t.Fatal(err)
	}
	if v.Result != bundle.Good {
		t.Fatalf("the run itself: got %+v, want good", v)
	}
	return j.bundle, v
}

func TestTheSameHistoryGetsTheSameVerdictAgain(t *testing.T) {
	b, want := judged(t)
	got, notes, err := Rejudge(b)
	if err != nil || len(notes) > 0 || !reflect.DeepEqual(got.Verdicts, want.Verdicts) || got.Result != want.Result {
		t.Errorf("got %+v, notes %q, %v; want %+v", got, notes, err, want)
	}
}

func TestWhatTheRunSaidOfItselfStays(t *testing.T) {
	for result, change := range map[bundle.Result]func(*bundle.Verdict){
		bundle.Wrong:     func(v *bundle.Verdict) { v.Failed = "steady: not within 15s" },
		bundle.Undecided: func(v *bundle.Verdict) { v.Problems = []string{"take the lab down: busy"} },
	} {
		b, v := judged(t)
		change(&v)
		if err := errors.Join(b.WriteYAML(bundle.VerdictFile, v), b.Seal()); err != nil {
			t.Fatal(err)
		}
		if got, _, err := Rejudge(b); err != nil || got.Result != result || got.Failed != v.Failed || !reflect.DeepEqual(got.Problems, v.Problems) {
			t.Errorf("got %+v, %v; want %s, failed %q, problems %q", got, err, result, v.Failed, v.Problems)
		}
	}
}

func TestAnArrivalThatWasTakenOutIsMissedAndNoted(t *testing.T) {
	b, _ := judged(t)
	packed := b.Path("arrivals.ndjson.zst")
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	text, err := os.ReadFile(packed)
	if err == nil {
		text, err = z.DecodeAll(text, nil)
	}
	if err == nil {
		_, rest, _ := bytes.Cut(text, []byte("\n"))
		err = errors.Join(os.WriteFile(b.Path("arrivals.ndjson"), rest, 0o644), os.Remove(packed))
	}
	if err != nil {
		t.Fatal(err)
	}
	v, notes, err := Rejudge(b)
	if err != nil {
		t.Fatal(err)
	}
	if v.Result != bundle.Wrong || v.Verdicts[0].State != check.Invalid || v.Verdicts[0].Evidence[0].Op != "blog-0" {
		t.Errorf("got %+v, want wrong, and blog-0 for evidence", v)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "arrivals.ndjson has 39 records, and had 40") {
		t.Errorf("notes: got %q, want that one record is missing", notes)
	}
}

func TestDamagedFilesOfARunAreNamed(t *testing.T) {
	for _, name := range []string{"ops.ndjson.zst", "writes.ndjson", "faults.ndjson", bundle.FactsFile, bundle.ChecksFile, bundle.VerdictFile, bundle.SealFile} {
		for what, damage := range map[string]func(path string) error{
			"cut short": func(path string) error { return os.WriteFile(path, []byte(`{"seq":`), 0o644) },
			"missing":   os.Remove,
			"emptied":   func(path string) error { return os.WriteFile(path, nil, 0o644) },
		} {
			b, _ := judged(t)
			if st, err := os.Stat(b.Path(name)); err == nil && st.Size() == 0 && what == "emptied" {
				continue // it was empty
			}
			if err := damage(b.Path(name)); err != nil {
				t.Fatal(err)
			}
			_, _, err := Rejudge(b)
			var damaged *bundle.Damaged
			if !errors.As(err, &damaged) || !strings.Contains(err.Error(), strings.TrimSuffix(name, ".zst")) {
				t.Errorf("%s %s: got %v, want *bundle.Damaged that names it", name, what, err)
			}
		}
	}
}

func TestAVerdictThatSomebodyWroteIsNotBelieved(t *testing.T) {
	for name, text := range map[string]string{
		bundle.VerdictFile: "result: good\n",
		bundle.ChecksFile:  `[{"nothing-left":{}}]`,
		bundle.FactsFile:   `{}`,
	} {
		b, _ := judged(t)
		if err := b.WriteText(name, text); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Rejudge(b); err == nil || !strings.Contains(err.Error(), name+" is damaged: it does not hold what the run wrote") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestArrivalsThatNobodyAskedForMakeARunUndecided(t *testing.T) {
	h := &history.History{Ops: []history.Op{{ID: "a-1"}}, Arrivals: []history.Arrival{{ID: "a-1"}, {ID: "a-2", Backend: "idc/bj/blue-1", From: "10.0.0.1:4"}, {}}}
	if got := unasked(h); got != `2 arrivals are of no operation; the first: "a-2" at idc/bj/blue-1, from 10.0.0.1:4` {
		t.Errorf("got %q", got)
	}
	if h.Lost = 1; unasked(h) != "" {
		t.Error("an operation may be among the records that were lost")
	}
	b, _ := judged(t)
	saved, err := history.Open(b.Dir)
	if err != nil {
		t.Fatal(err)
	}
	saved.Ops = saved.Ops[1:]
	if err := saved.Save(b.Dir); err != nil {
		t.Fatal(err)
	}
	for range 2 { // once said is enough
		v, _, err := Rejudge(b)
		if err != nil || v.Result != bundle.Undecided || len(v.Problems) != 1 {
			t.Errorf("got %+v, %v; want undecided for one problem", v, err)
		}
	}
}

func TestWhatIsLeftBehindIsNoReasonToKeepFrames(t *testing.T) {
	for name, c := range map[string]struct {
		checks string
		change func(*Job)
		want   bool
	}{
		"what is left is not counted yet": {"[no-request-lost, nothing-left]", func(*Job) {}, true},
		"a step failed":                   {"[no-request-lost, nothing-left]", func(j *Job) { j.failed = errors.New("late") }, false},
		"the testbed had a problem":       {"[no-request-lost, nothing-left]", func(j *Job) { j.problem("busy") }, false},
		"a check is undecided":            {"[no-request-lost, at-most-once]", func(*Job) {}, false},
	} {
		j := recorded(t, c.checks)
		c.change(j)
		if got := j.goodSoFar(); got != c.want {
			t.Errorf("%s: good so far: got %t, want %t", name, got, c.want)
		}
	}
}
