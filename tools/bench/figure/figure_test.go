package figure

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/tools/bench/stage"
)

// quiet are turns of a machine that does nothing else.
func quiet(values ...float64) (out []Turn) {
	for _, v := range values {
		out = append(out, Turn{Value: v})
	}
	return out
}

func noisy(foreign float64, turns []Turn) []Turn {
	for i := range turns {
		turns[i].Noise.Foreign = foreign
	}
	return turns
}

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		target Target
		turns  []Turn
		want   Verdict
		why    string
	}{
		"within":                         {AtMost(5), quiet(4, 4, 4.5, 4, 4), Met, ""},
		"within, however busy":           {AtMost(5), noisy(2, quiet(4, 4, 4.5, 4, 4)), Met, ""},
		"one turn is not":                {AtMost(5), quiet(4, 4, 6, 4, 4), Undecided, "worst turn of the quiet half is 6"},
		"beyond":                         {AtMost(5), quiet(6, 6, 7, 6, 6), Missed, ""},
		"beyond, and others ran":         {AtMost(5), noisy(0.6, quiet(6, 6, 7, 6, 6)), Undecided, "0.60 cores"},
		"beyond, but for one turn":       {AtMost(5), quiet(6, 4, 6, 6, 6), Undecided, "best turn of the quiet half is 4"},
		"too few turns":                  {AtMost(5), quiet(4, 4, 4, 4), Undecided, "4 turns"},
		"none":                           {AtMost(5), nil, Undecided, "not measured"},
		"no target":                      {Target{}, quiet(4), Reported, ""},
		"at least, within":               {AtLeast(5), quiet(6, 6, 6, 6, 6), Met, ""},
		"at least, beyond":               {AtLeast(5), quiet(4, 4, 4, 4, 4), Missed, ""},
		"at least, the worst is too few": {AtLeast(5), quiet(4, 6, 6, 6, 6), Undecided, "worst turn of the quiet half is 4"},
	} {
		var r Row
		r.Judge(c.target, c.turns)
		if r.Verdict != c.want || !strings.Contains(r.Why, c.why) || c.why == "" && r.Why != "" {
			t.Errorf("%s: got %s, %q, want %s, %q", name, r.Verdict, r.Why, c.want, c.why)
		}
	}
}

// Of a loud and a quiet half only the quiet one counts.
func TestQuietHalfDecides(t *testing.T) {
	turns := append(noisy(3, quiet(100, 100, 100)), quiet(1, 2, 3, 2)...)
	var r Row
	r.Judge(AtMost(5), turns)
	if r.Verdict != Met || *r.Value != 2 || *r.Low != 1 || *r.High != 3 || r.Noise.Most != 0 || r.Turns != 7 {
		t.Errorf("got %+v", r)
	}
	if r.AA == nil || r.AA.Low != 0.5 || r.AA.High != 1.5 {
		t.Errorf("A/A %+v, want the ratios of the quiet turns to the next", r.AA)
	}
}

// Turns of one run have its noise: none is quieter than another.
func TestTurnsThatAreEquallyQuietAllCount(t *testing.T) {
	var r Row
	r.Judge(AtMost(5), noisy(0.1, quiet(1, 1, 1, 1, 1, 1, 2, 9)))
	if r.Verdict != Undecided || *r.High != 9 || *r.AA != (Spread{Low: 0.222222, High: 1}) {
		t.Errorf("got %+v, A/A %+v, want the last turn to count", r, r.AA)
	}
}

func TestOfCountsTheWorstTurnDecides(t *testing.T) {
	for _, c := range []struct {
		target Target
		turns  []Turn
		value  float64
		want   Verdict
	}{
		{AtMost(0), quiet(0), 0, Met},
		{AtMost(0), noisy(3, quiet(0, 0, 1)), 1, Missed},
		{AtLeast(3), quiet(4, 2), 2, Missed},
		{Target{}, quiet(4, 2), 4, Reported},
	} {
		var r Row
		r.JudgeCount(c.target, c.turns)
		if r.Verdict != c.want || *r.Value != c.value || r.AA != nil {
			t.Errorf("%v %v: got %s of %g, want %s of %g", c.target, c.turns, r.Verdict, *r.Value, c.want, c.value)
		}
	}
}

func TestDocumentsKeepWhatWasMeasuredBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	if _, err := Read(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	names := []string{"a", "b", "c"}
	row := func(name string, value float64) Row {
		r := Row{Name: name, Date: time.Unix(int64(value), 0).UTC(), More: map[string]float64{"p99_ms": value}}
		r.Judge(AtMost(10), quiet(value, value, value, value, value))
		return r
	}
	machine := stage.Machine{CPU: "one", CPUs: 2}
	for i, rows := range [][]Row{{row("b", 1), row("a", 1), row("gone", 1)}, {row("a", 2)}, {row("a", 3), row("c", 3)}, {row("a", 4)}} {
		if err := (Document{Machine: machine, Rows: rows}).Write(path, names); err != nil {
			t.Fatalf("run %d: %v", i+1, err)
		}
	}
	d, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []float64
	for _, r := range d.Rows {
		for _, run := range r.Runs() {
			got = append(got, *run.Value)
		}
	}
	if want := []float64{4, 3, 2, 1, 3}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want a with two runs before, then b and c: %v", got, want)
	}
	var text bytes.Buffer
	d.Print(&text)
	if !strings.Contains(text.String(), "p99 ms 4") {
		t.Errorf("the table lacks other figures:\n%s", text.String())
	}
	here, other := &Document{Machine: machine}, &Document{Machine: stage.Machine{CPU: "two"}}
	if err := errors.Join(here.Mergeable(path), other.Mergeable(path+".none")); err != nil {
		t.Errorf("got %v, want rows of this machine to be taken, and any where there is no file", err)
	}
	if other.Mergeable(path) == nil || other.Write(path, names) == nil {
		t.Error("rows of another machine were taken")
	}
}
