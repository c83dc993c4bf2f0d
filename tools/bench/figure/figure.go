// Package figure owns documents of single figures, each with a target, a verdict and
// the noise that it was measured in. It is pure but for reading and writing files.
package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/unilb/unilb/tools/bench/stage"
)

// A Verdict says whether a figure reached its target. The zero value is that nobody
// knows.
type Verdict string

// The verdicts.
const (
	Undecided Verdict = "undecided"
	Met       Verdict = "met"
	Missed    Verdict = "missed"
	Reported  Verdict = "reported" // it has no target
)

// Bounds of what is decided.
const (
	leastTurns = 5
	mostNoise  = 0.5 // cores, foreign and stolen together, in any turn of the quiet half
)

// A Target bounds a figure. The zero Target is none.
type Target struct {
	Least bool // the figure is to be at least Bound; else at most
	Bound float64
	is    bool
}

// AtMost is the target of a figure that is not to be larger.
func AtMost(bound float64) Target { return Target{Bound: bound, is: true} }

// AtLeast is the target of a figure that is not to be smaller.
func AtLeast(bound float64) Target { return Target{Least: true, Bound: bound, is: true} }

func (t Target) String() string {
	switch {
	case !t.is:
		return ""
	case t.Least:
		return fmt.Sprintf(">= %g", t.Bound)
	}
	return fmt.Sprintf("<= %g", t.Bound)
}

func (t Target) keeps(v float64) bool {
	if t.Least {
		return v >= t.Bound
	}
	return v <= t.Bound
}

// A Turn is one of several measurements of a figure.
type Turn struct {
	Value float64
	Noise stage.Used
}

func (t Turn) noise() float64 { return 2*t.Noise.Stolen + t.Noise.Foreign }

// A Row is one figure.
type Row struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`
	Value   *float64 `json:"value"` // median of the quiet half of the turns; null: not measured
	Unit    string   `json:"unit"`
	Target  string   `json:"target"`
	Verdict Verdict  `json:"verdict"`
	Why     string   `json:"why,omitempty"` // it is not simply met

	Low   *float64 `json:"low"` // ends of the quiet half
	High  *float64 `json:"high"`
	AA    *Spread  `json:"aa"` // null: there are too few turns, or it is a count
	Turns int      `json:"turns"`
	Noise Noise    `json:"noise"`
	// More are other figures of the same measurement; the end of the name is the unit.
	More map[string]float64 `json:"more,omitempty"`

	Commit string    `json:"commit"`
	Dirty  bool      `json:"dirty,omitempty"` // built with changes that are in no commit
	Date   time.Time `json:"date"`

	// Earlier runs of the row, the newest first, maxEarlier at most.
	Earlier []Row `json:"earlier,omitempty"`
}

// A Spread is how far two measurements of the same lie apart: the smallest and the
// largest ratio of a turn to the next, in the quieter half of such pairs.
type Spread struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Noise is what else the machine did in the quiet half: medians, and the most that both
// were together in one turn. Cores.
type Noise struct {
	Foreign float64 `json:"foreign"`
	Stolen  float64 `json:"stolen"`
	Most    float64 `json:"most"`
	Load    float64 `json:"load"` // processes that ran or waited for a core, mean of the last minute, at the end
}

// Judge fills in what turns say of a row with that target.
//
// Whatever else runs makes a figure worse, so one that is within its target is so
// however busy the machine was, provided that the worst turn of the quiet half is within it too.
// One that is not has missed it if no turn of the quiet half is within it, and the machine was quiet.
func (r *Row) Judge(target Target, turns []Turn) {
	r.Target, r.Turns, r.Verdict = target.String(), len(turns), Undecided
	if len(turns) == 0 {
		r.Why = "not measured"
		return
	}
	quiet := quietHalf(turns)
	value, low, high := span(quiet)
	r.Value, r.Low, r.High = &value, &low, &high
	r.AA = apart(turns)
	r.Noise = noiseOf(quiet)
	best, worst := low, high
	if target.Least {
		best, worst = high, low
	}
	switch {
	case !target.is:
		r.Verdict = Reported
	case len(turns) < leastTurns:
		r.Why = fmt.Sprintf("%d turns, want at least %d", len(turns), leastTurns)
	case target.keeps(value) && target.keeps(worst):
		r.Verdict = Met
	case target.keeps(value):
		r.Why = fmt.Sprintf("the worst turn of the quiet half is %.4g", worst)
	case r.Noise.Most > mostNoise:
		r.Why = fmt.Sprintf("others and the host took up to %.2f cores in the quiet half, at most %.2f are allowed for a miss", r.Noise.Most, mostNoise)
	case target.keeps(best):
		r.Why = fmt.Sprintf("the best turn of the quiet half is %.4g", best)
	default:
		r.Verdict = Missed
	}
}

// JudgeCount is Judge for a figure that is exact whatever else runs: the worst turn
// counts.
func (r *Row) JudgeCount(target Target, turns []Turn) {
	r.Judge(target, turns)
	if len(turns) == 0 {
		return
	}
	_, low, high := span(turns)
	r.Low, r.High, r.AA = &low, &high, nil
	worst := high
	if target.Least {
		worst = low
	}
	r.Value, r.Why = &worst, ""
	switch {
	case !target.is:
	case target.keeps(worst):
		r.Verdict = Met
	default:
		r.Verdict = Missed
	}
}

// quietHalf are the turns in which the machine did the least beside.
func quietHalf(turns []Turn) []Turn { return quietest(turns, Turn.noise) }

// quietest is half of all, rounded up, but no less than three: those with the least
// noise, and whatever is as quiet as the last of them.
func quietest[T any](all []T, noise func(T) float64) []T {
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(noise(a), noise(b)) })
	n := min(len(out), max(3, (len(out)+1)/2))
	for n > 0 && n < len(out) && noise(out[n]) == noise(out[n-1]) {
		n++
	}
	return out[:n]
}

func span(turns []Turn) (median, low, high float64) {
	vs := make([]float64, len(turns))
	for i, t := range turns {
		vs[i] = t.Value
	}
	slices.Sort(vs)
	return stage.SixDigits(Median(vs)), stage.SixDigits(vs[0]), stage.SixDigits(vs[len(vs)-1])
}

// Median of sorted values; 0: there are none.
func Median(vs []float64) float64 {
	n := len(vs)
	if n == 0 {
		return 0
	}
	return (vs[(n-1)/2] + vs[n/2]) / 2
}

func apart(turns []Turn) *Spread {
	type pair struct{ ratio, noise float64 }
	var all []pair
	for i := 0; i+1 < len(turns); i++ {
		if a, b := turns[i], turns[i+1]; b.Value > 0 && a.Value > 0 {
			all = append(all, pair{a.Value / b.Value, max(a.noise(), b.noise())})
		}
	}
	if len(all) == 0 {
		return nil
	}
	s := Spread{Low: math.Inf(1)}
	for _, p := range quietest(all, func(p pair) float64 { return p.noise }) {
		s.Low, s.High = min(s.Low, stage.SixDigits(p.ratio)), max(s.High, stage.SixDigits(p.ratio))
	}
	return &s
}

func noiseOf(turns []Turn) (n Noise) {
	var foreign, stolen []float64
	for _, t := range turns {
		foreign, stolen = append(foreign, t.Noise.Foreign), append(stolen, t.Noise.Stolen)
		n.Most = max(n.Most, stage.SixDigits(t.Noise.Foreign+t.Noise.Stolen))
	}
	slices.Sort(foreign)
	slices.Sort(stolen)
	n.Foreign, n.Stolen = stage.SixDigits(Median(foreign)), stage.SixDigits(Median(stolen))
	return n
}
