package main

import (
	"fmt"
	"strings"
)

// A Verdict says whether a row reached its targets. The zero value is that nobody
// knows.
type Verdict string

// The verdicts.
const (
	Undecided Verdict = "undecided"
	Met       Verdict = "met"
	Missed    Verdict = "missed"
	NotYet    Verdict = "not-yet" // the gateway cannot do it; Why says how it refused
)

// Bounds of what is decided.
const (
	leastRounds  = 11
	mostNoise    = 0.5 // cores, foreign and stolen together, in any round of the quiet half
	mostSpread   = 0.1 // of the A/A control: its highest less its lowest ratio in the quiet half
	mostDistance = 0.1 // of the ratio of the minima from the median
)

// Names of the ratios that targets speak of, as they stand in the document.
const (
	cpuVsNginx    = "cpu_vs_nginx"
	cpuVsHAProxy  = "cpu_vs_haproxy"
	rpsVsNginx    = "rps_vs_nginx"
	memoryVsNginx = "memory_vs_nginx"
)

// A Target bounds one ratio of a row.
type Target struct {
	Ratio string
	Least bool // the ratio is to be at least Bound; else at most
	Bound float64
}

func atMost(ratio string, bound float64) Target { return Target{Ratio: ratio, Bound: bound} }
func atLeast(ratio string, bound float64) Target {
	return Target{Ratio: ratio, Least: true, Bound: bound}
}

func (t Target) String() string {
	if t.Least {
		return fmt.Sprintf("%s >= %.2f", t.Ratio, t.Bound)
	}
	return fmt.Sprintf("%s <= %.2f", t.Ratio, t.Bound)
}

func (t Target) keeps(v float64) bool {
	if t.Least {
		return v >= t.Bound
	}
	return v <= t.Bound
}

// beyond reports whether even the best round misses the target, by more than the
// control can err.
func (t Target) beyond(r Ratio, spread float64) bool {
	if t.Least {
		return r.High < t.Bound-spread
	}
	return r.Low > t.Bound+spread
}

func targetText(ts []Target) string {
	var parts []string
	for _, t := range ts {
		parts = append(parts, t.String())
	}
	return strings.Join(parts, ", ")
}

// Evidence is what a row is judged by.
type Evidence struct {
	Rounds   int              // that were made
	Voided   int              // of these, with errors of the gateway's and none of nginx
	Noise    float64          // cores, the most of any round of the quiet half
	NoNoise  bool             // what is measured does not depend on what else runs
	AA       *Ratio           // nginx against a second nginx; nil: not measured
	Measured map[string]Ratio // by the name of the ratio
}

// judge says whether the targets are reached, and why when the answer is not simply
// yes. A figure that lies further from its target than all noise is decided although
// the control is unsteady; a machine that was too busy decides nothing.
func judge(targets []Target, e Evidence) (Verdict, string) {
	need := leastRounds
	if e.NoNoise {
		need = memoryRounds
	}
	switch {
	case len(targets) == 0:
		return Undecided, "it has no target"
	case e.Rounds < need:
		return Undecided, fmt.Sprintf("%d rounds, want at least %d", e.Rounds, need)
	case !e.NoNoise && e.Noise > mostNoise:
		return Undecided, fmt.Sprintf("too noisy: others and the host took up to %.2f cores in the quiet half, at most %.2f are allowed", e.Noise, mostNoise)
	case 2*e.Voided > e.Rounds:
		return Missed, fmt.Sprintf("the gateway had errors in %d of %d rounds, in which nginx had none", e.Voided, e.Rounds)
	case e.AA == nil:
		return Undecided, "there is no control"
	}
	for _, t := range targets {
		if _, ok := e.Measured[t.Ratio]; !ok {
			return Undecided, t.Ratio + " was not measured"
		}
	}
	for _, t := range targets {
		if r := e.Measured[t.Ratio]; t.beyond(r, e.AA.spread()) {
			return Missed, fmt.Sprintf("%s is %.2f (%.2f to %.2f)", t.Ratio, r.Median, r.Low, r.High)
		}
	}
	if why := unsteady(targets, e); why != "" {
		return Undecided, why
	}
	for _, t := range targets {
		if r := e.Measured[t.Ratio]; !t.keeps(r.Median) {
			return Missed, fmt.Sprintf("%s is %.2f (%.2f to %.2f)", t.Ratio, r.Median, r.Low, r.High)
		}
	}
	return Met, ""
}

// unsteady says why the figures cannot be told from noise; "": they can.
func unsteady(targets []Target, e Evidence) string {
	if s := e.AA.spread(); s > mostSpread {
		return fmt.Sprintf("nginx against itself gave %.2f to %.2f, at most %.2f apart are allowed", e.AA.Low, e.AA.High, mostSpread)
	}
	for _, t := range targets {
		r := e.Measured[t.Ratio]
		if d := r.Median - r.Minima; t.Ratio != rpsVsNginx && (d > mostDistance || d < -mostDistance) {
			return fmt.Sprintf("%s is %.2f by the median and %.2f by the minima, at most %.2f apart are allowed", t.Ratio, r.Median, r.Minima, mostDistance)
		}
	}
	return ""
}
