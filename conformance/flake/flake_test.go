package flake

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

var (
	known = []string{"A-ONE", "A-TWO", "LB-WEIGHTED"}
	today = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
)

func file(entry string) string { return "quarantine: v1\ncases:\n- " + entry + "\n" }

func TestQuarantineSaysWhatIsWrongAndWhere(t *testing.T) {
	const good = "{case: A-ONE, reason: 'slow disk, being mended', since: 2026-03-01, expires: 2026-03-20}"
	for name, c := range map[string]struct{ text, want string }{
		"holds on its last day": {file(good), ""},
		"nothing":               {"quarantine: v1\n", ""},
		"expired":               {file(strings.Replace(good, "03-20", "03-19", 1)), "q.yaml:3:80: the quarantine of A-ONE expired on 2026-03-19: mend"},
		"unknown case":          {file(strings.Replace(good, "A-ONE", "LB-WEIGHTD", 1)), `q.yaml:3:10: no case is called LB-WEIGHTD (did you mean "LB-WEIGHTED"?)`},
		"twice":                 {file(good) + "- " + good + "\n", "q.yaml:4:10: A-ONE is here already"},
		"too long":              {file(strings.Replace(good, "2026-03-20", "2026-05-01", 1)), "for 61 days; at most 60"},
		"ends before it begins": {file(strings.Replace(good, "2026-03-20", "2026-02-20", 1)), "before it began"},
		"not begun":             {file("{case: A-ONE, reason: r, since: 2026-03-21, expires: 2026-03-22}"), "in the future"},
		"no reason":             {file("{case: A-ONE, since: 2026-03-01, expires: 2026-03-20}"), "q.yaml:3:3: cases[0].reason is missing"},
		"no day":                {file(strings.Replace(good, "2026-03-20", "soon", 1)), "want a day such as 2026-03-02"},
		"unknown key":           {file(strings.Replace(good, "reason", "raeson", 1)), `did you mean "reason"`},
		"another version":       {"quarantine: v2\n", "q.yaml:1:13:"},
		"budget":                {"quarantine: v1\nbudget: {rate: 2}\n", "at most 1"},
	} {
		q, err := Decode("q.yaml", []byte(c.text), known, today)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err == nil && (q.Budget.Quarantined != 3 || q.Budget.Rate != 0.01) {
			t.Errorf("%s: got budget %+v, want the default", name, q.Budget)
		}
	}
}

func TestOurQuarantineIsReadable(t *testing.T) {
	q, err := Decode(DefaultName, ours, known, today)
	if err != nil || len(q.Problems(nil)) > 0 {
		t.Errorf("got %v, %v", err, q)
	}
}

func TestQuarantinedCaseRunsShowsItsStateAndDoesNotBlock(t *testing.T) {
	q := &Quarantine{Cases: []Entry{{Case: "A-ONE", Reason: "r"}, {Case: "A-GREEN", Reason: "r"}}}
	after := func(id string) *spec.Reason { return &spec.Reason{Code: spec.After, Case: id} }
	rs := []spec.Result{
		{Case: "A-ONE", State: spec.Fail}, {Case: "A-TWO", State: spec.Unproven, Reason: after("A-ONE")}, {Case: "A-THREE", State: spec.Unproven, Reason: after("A-TWO")},
		{Case: "A-GREEN", State: spec.Pass}, {Case: "A-RED", State: spec.Fail}, {Case: "A-ON-RED", State: spec.Unproven, Reason: after("A-RED")},
	}
	q.Mark(rs)
	for i, want := range []struct {
		state  spec.State
		counts spec.Column
	}{{spec.Fail, spec.Skipped}, {spec.Skip, spec.Skipped}, {spec.Skip, spec.Skipped}, {spec.Pass, spec.Passed}, {spec.Fail, spec.Failed}, {spec.Unproven, spec.Failed}} {
		if r := rs[i]; r.State != want.state || r.Counts() != want.counts || (r.Quarantine != nil) != (i == 0 || i == 3) {
			t.Errorf("%s: got %s in column %d, quarantine %v; want %s in %d", r.Case, r.State, r.Counts(), r.Quarantine, want.state, want.counts)
		}
	}
}

func TestLedgerKeepsWhatSaysSomethingAndRatesFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), LedgerFile)
	good, other := Build{Gateway: "gw", Binary: "sha256:1", Cases: "c"}, Build{Gateway: "gw", Binary: "sha256:2", Cases: "c"}
	add := func(b Build, day int, rs ...spec.Result) {
		t.Helper()
		if err := Append(path, Records(time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC), b, rs)); err != nil {
			t.Fatal(err)
		}
	}
	add(good, 1, spec.Result{Case: "A-ONE", State: spec.Pass}, spec.Result{Case: "A-TWO", State: spec.Fail, Runs: 20, Passed: 19, Flaky: true}, spec.Result{Case: "A-SKIP", State: spec.Skip})
	add(good, 2, spec.Result{Case: "A-ONE", State: spec.Pass}, spec.Result{Case: "A-CUT", State: spec.Broken, Reason: &spec.Reason{Code: spec.Interrupted}},
		spec.Result{Case: "A-NEW", State: spec.Unsupported, Challenge: spec.Pass}, spec.Result{Case: "A-WAITS", State: spec.Unproven})
	add(other, 3, spec.Result{Case: "A-ONE", State: spec.Fail}) // another build: a regression, no flake
	add(good, 4, spec.Result{Case: "A-THREE", State: spec.Pass})
	add(good, 5, spec.Result{Case: "A-THREE", State: spec.Broken})
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := Read(path, f)
	if err != nil {
		t.Fatal(err)
	}
	march := func(day int) time.Time { return time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC) }
	want := []Rate{{"A-THREE", 2, 1, 1, march(5)}, {"A-TWO", 20, 1, 1, march(1)}, {"A-NEW", 1, 0, 1, time.Time{}}, {"A-ONE", 3, 0, 2, time.Time{}}}
	if got := Rates(records); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := Total(Rates(records)); got.Runs != 26 || got.Flakes != 2 {
		t.Errorf("total: got %+v, want 2 flakes in 26 runs", got)
	}
}

func TestBudgetThatIsSpentIsAProblem(t *testing.T) {
	flaky := []Record{{Case: "A-ONE", Runs: 50, Passed: 49}}
	for name, c := range map[string]struct {
		q       Quarantine
		records []Record
		want    string
	}{
		"within":         {Quarantine{Budget: Budget{1, 0.02}, Cases: make([]Entry, 1)}, flaky, ""},
		"too many":       {Quarantine{Budget: Budget{1, 0.02}, Cases: make([]Entry, 2)}, nil, "2 cases are in quarantine, at most 1"},
		"too flaky":      {Quarantine{Budget: Budget{1, 0.01}}, flaky, "1 flakes in 50 runs of cases (2 %), at most 1 %"},
		"nothing is run": {Quarantine{}, nil, ""},
	} {
		if got := strings.Join(c.q.Problems(c.records), "\n"); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestBrokenLedgerNamesItsLine(t *testing.T) {
	const ok = `{"at":"2026-03-01T00:00:00Z","gateway":"g","binary":"b","cases":"c","case":"A-ONE","runs":1,"passed":1,"state":"pass"}` + "\n"
	for text, want := range map[string]string{
		ok:               "",
		"":               "",
		ok + "{\n":       "l:2: not a record",
		ok + ok + "{}\n": "l:3: 0 of 0 runs",
		`{"colour":1}`:   "l:1: not a record",
		strings.Replace(ok, `"passed":1`, `"passed":2`, 1): "l:1: 2 of 1 runs",
		strings.Repeat("x", maxRecord+1):                   "l:1: ",
	} {
		if _, err := Read("l", strings.NewReader(text)); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %q", text, err, want)
		}
	}
}
