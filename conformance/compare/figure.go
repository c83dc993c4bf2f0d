package compare

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// MinPairs is how many pairs a verdict on a figure needs at least, and MaxPairs
// how many can be taken.
const (
	MinPairs = 5
	MaxPairs = 30
)

// minEffect is the smallest difference that is one. On a machine that does other
// things, too, one build shows less than that against itself, however sure it seems.
const minEffect = 0.1

// Verdicts on a figure. There is no "same": that two builds are equally fast
// cannot be shown.
const (
	NoEvidence = "no evidence"
	NotTaken   = "not measured"
)

// A Figure compares one measure over all pairs. The interval holds the ratio of
// head to base with 99 % confidence.
type Figure struct {
	Name    string  `yaml:"name" json:"name"`
	Meaning Meaning `yaml:"meaning" json:"meaning"`
	Base    string  `yaml:"base" json:"base"` // geometric means
	Head    string  `yaml:"head" json:"head"`
	Ratio   float64 `yaml:"ratio" json:"ratio"`
	Low     float64 `yaml:"low" json:"low"`
	High    float64 `yaml:"high" json:"high"`
	Pairs   int     `yaml:"pairs" json:"pairs"`
	Verdict string  `yaml:"verdict" json:"verdict"` // slower, faster, no evidence, not measured
	Why     string  `yaml:"why,omitempty" json:"why,omitempty"`
}

// measures are what a sample says, as numbers of which more is worse.
var measures = []struct {
	name    string
	meaning Meaning
	of      func(Sample) float64
	show    func(float64) string
	better  bool // more is better
}{
	{"latency p50", Time, func(s Sample) float64 { return float64(s.P50) }, showTime, false},
	{"latency p99", Time, func(s Sample) float64 { return float64(s.P99) }, showTime, false},
	{"throughput", Time, func(s Sample) float64 { return s.PerSecond }, func(v float64) string { return fmt.Sprintf("%.0f/s", v) }, true},
	{"CPU of a request", Resource, func(s Sample) float64 { return float64(s.CPU) }, showTime, false},
	{"memory", Resource, func(s Sample) float64 { return float64(s.RSS) }, func(v float64) string { return fmt.Sprintf("%.1f MiB", v/(1<<20)) }, false},
}

func showTime(v float64) string {
	d := time.Duration(v)
	if d < time.Millisecond {
		return d.Round(100 * time.Nanosecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// Figures judges pairs. A figure is worse or better only when the interval of the
// ratio excludes 1 and the ratio is more than minEffect away from it.
func Figures(pairs []Pair) []Figure {
	var out []Figure
	if len(pairs) == 0 {
		return nil
	}
	for _, m := range measures {
		f := Figure{Name: m.name, Meaning: m.meaning, Pairs: len(pairs), Verdict: NotTaken}
		var logs []float64
		var base, head float64
		for _, p := range pairs {
			b, h := m.of(p.Base), m.of(p.Head)
			switch {
			case p.Base.Failed > 0 || p.Head.Failed > 0:
				f.Why = fmt.Sprintf("%d requests of a load failed on the base and %d on the head", p.Base.Failed, p.Head.Failed)
			case b <= 0 || h <= 0:
				f.Why = "a load was too short to show it"
			default:
				logs = append(logs, math.Log(h/b))
				base, head = base+math.Log(b), head+math.Log(h)
			}
		}
		if len(logs) > 0 {
			f.Base, f.Head = m.show(math.Exp(base/float64(len(logs)))), m.show(math.Exp(head/float64(len(logs))))
		}
		switch {
		case f.Why != "":
		case len(logs) < MinPairs:
			f.Verdict, f.Why = NoEvidence, fmt.Sprintf("%d pairs, want at least %d", len(logs), MinPairs)
		default:
			f.judge(logs, m.better)
		}
		out = append(out, f)
	}
	return out
}

// judge takes the verdict from the logarithms of the ratios.
func (f *Figure) judge(logs []float64, moreIsBetter bool) {
	mean, half := interval(logs)
	f.Ratio, f.Low, f.High = math.Exp(mean), math.Exp(mean-half), math.Exp(mean+half)
	f.Verdict = NoEvidence
	if math.Abs(f.Ratio-1) <= minEffect || f.Low <= 1 && f.High >= 1 {
		return
	}
	f.Verdict = string(Slower)
	if (f.Ratio > 1) == moreIsBetter {
		f.Verdict = string(Faster)
	}
}

// interval is the mean of normal values and half the width of its 99 % confidence
// interval, by Student's t.
func interval(xs []float64) (mean, half float64) {
	n := float64(len(xs))
	for _, x := range xs {
		mean += x / n
	}
	var squares float64
	for _, x := range xs {
		squares += (x - mean) * (x - mean)
	}
	return mean, student[min(len(xs)-1, len(student))-1] * math.Sqrt(squares/(n-1)/n)
}

// student are the two-sided 99 % quantiles of Student's t distribution with 1, 2, ...
// degrees of freedom. Five figures are looked at: at 95 % the same build would be
// suspect in every fifth series.
var student = []float64{
	63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169, 3.106, 3.055, 3.012, 2.977, 2.947,
	2.921, 2.898, 2.878, 2.861, 2.845, 2.831, 2.819, 2.807, 2.797, 2.787, 2.779, 2.771, 2.763, 2.756, 2.750,
}

// Confirmed judges two series of pairs: only what each of them shows is a difference.
// Pairs of one series have the same clients and backends, and the same quarter of an
// hour of the machine, so that their interval says little about what another series
// would give. The interval that is shown spans those of both.
func Confirmed(first, second []Pair) []Figure {
	all, a, b := Figures(append(append([]Pair(nil), first...), second...)), Figures(first), Figures(second)
	for i := range all {
		f := &all[i]
		switch {
		case f.Verdict == NotTaken:
		case len(b) == 0:
			f.Verdict, f.Why = NoEvidence, "there is no second series to confirm it"
		case a[i].Verdict != b[i].Verdict:
			f.Verdict, f.Why = NoEvidence, "only one of two series shows it"
		default:
			f.Verdict = a[i].Verdict
		}
		if f.Verdict != NotTaken && len(b) > 0 && b[i].Ratio != 0 {
			f.Low, f.High = min(a[i].Low, b[i].Low), max(a[i].High, b[i].High)
		}
	}
	return all
}

// Suspect says whether figures show a difference, so that a second series is worth its
// time.
func Suspect(fs []Figure) bool { return slices.ContainsFunc(fs, Figure.differs) }

// differs says whether the head is slower or faster.
func (f Figure) differs() bool { return f.Verdict == string(Slower) || f.Verdict == string(Faster) }

// change is the ratio with its interval: "+26% [+18%, +35%] over 7 interleaved pairs".
func (f Figure) change() string {
	pct := func(r float64) string { return fmt.Sprintf("%+.0f%%", 100*(r-1)) }
	return fmt.Sprintf("%s [%s, %s] over %d interleaved pairs", pct(f.Ratio), pct(f.Low), pct(f.High), f.Pairs)
}

// differences are the figures that say something, as differences.
func differences(fs []Figure) []Difference {
	var out []Difference
	for _, f := range fs {
		if f.differs() {
			out = append(out, Difference{Kind: Kind(f.Verdict), Meaning: f.Meaning, Cases: []string{f.Name}, Base: f.Base, Head: f.Head, Says: []string{f.change()}})
		}
	}
	return out
}

// failedLoads is what the requests say that were not answered well: under load a
// build may lose what it serves one by one. Only loads that fail in every pair, on
// one side alone, are a difference between the builds.
func failedLoads(pairs []Pair) []Difference {
	var base, head, baseIn, headIn int // requests, and pairs that had some
	for _, p := range pairs {
		base, head = base+p.Base.Failed, head+p.Head.Failed
		baseIn, headIn = baseIn+min(p.Base.Failed, 1), headIn+min(p.Head.Failed, 1)
	}
	if base+head == 0 {
		return nil
	}
	kind := Unsteady
	switch n := len(pairs); {
	case n < minRuns:
	case headIn == n && baseIn == 0:
		kind = Regressed
	case baseIn == n && headIn == 0:
		kind = Fixed
	}
	in := func(failed, in int) string {
		return fmt.Sprintf("%d requests failed in %d of %d loads", failed, in, len(pairs))
	}
	return []Difference{{Kind: kind, Meaning: Outcome, Cases: []string{"load"}, Base: in(base, baseIn), Head: in(head, headIn)}}
}
