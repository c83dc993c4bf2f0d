package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/unilb/unilb/tools/bench/stage"
)

// A Result is one load on one form of our gateway.
type Result struct {
	Load    string `json:"load"`
	Gateway string `json:"gateway"`
	About   string `json:"about"`

	CPUVsNginx    *float64 `json:"cpu_vs_nginx"` // CPU time of a request, ours over nginx's
	CPUVsHAProxy  *float64 `json:"cpu_vs_haproxy"`
	RPSVsNginx    *float64 `json:"rps_vs_nginx"`
	MemoryVsNginx *float64 `json:"memory_vs_nginx,omitempty"` // of an idle connection

	// The ends of the quiet half, and the ratio of the minima, of the ratio that
	// comes first in the target.
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
	Minima *float64 `json:"minima"`

	Target  string  `json:"target"`
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why,omitempty"`

	AA     *Ratio             `json:"aa"` // nginx against a second nginx, the same ratio
	Noise  Noise              `json:"noise"`
	Rounds int                `json:"rounds"`
	Voided int                `json:"voided"` // rounds with an error of ours
	Each   map[string]Figures `json:"each"`   // by proxy

	Commit string    `json:"commit"`
	Dirty  bool      `json:"dirty,omitempty"` // built with changes that are in no commit
	Date   time.Time `json:"date"`

	// Earlier runs of the row, the newest first, maxEarlier at most.
	Earlier []Result `json:"earlier,omitempty"`
}

// Noise is what else the machine did in the quiet half: medians, and the most that
// both were together in one slice. Cores.
type Noise struct {
	Foreign float64 `json:"foreign"`
	Stolen  float64 `json:"stolen"`
	Most    float64 `json:"most"`
	Load    float64 `json:"load"` // processes that ran or waited for a core, mean of the last minute, at the end
}

// Figures are medians of the slices of one proxy.
type Figures struct {
	CPU    float64 `json:"cpu_us,omitempty"` // for each request
	RPS    float64 `json:"rps,omitempty"`
	P50    float64 `json:"p50_ms,omitempty"`
	P99    float64 `json:"p99_ms,omitempty"`
	Busy   float64 `json:"cores,omitempty"`
	Waited float64 `json:"waited,omitempty"` // cores that it did not get
	Bytes  float64 `json:"bytes_per_connection,omitempty"`
	Errors int     `json:"errors,omitempty"` // of all slices together
	Void   int     `json:"void,omitempty"`   // slices
	Why    string  `json:"why,omitempty"`    // the first error
}

// result makes a row of the document from slices. quick: they are too few to judge.
func (m measurement) result(r Row, gateway string) Result {
	out := Result{Load: r.Load, Gateway: gateway, About: r.About, Target: targetText(r.Targets), Each: map[string]Figures{}}
	for name, ss := range m.slices {
		if name == nginxName || name == controlName || name == haproxyName || name == gateway {
			out.Each[name] = figuresOf(ss, m.why[name])
		}
	}
	nginx, ours := m.slices[nginxName], m.slices[gateway]
	e := Evidence{Rounds: len(ours), NoNoise: r.By == byIdle, Measured: map[string]Ratio{}}
	for _, p := range pairsOf(ours, nginx, true) {
		if p.a.Void && !p.b.Void { // what stops nginx too is not ours
			e.Voided++
		}
	}
	for name, of := range map[string]struct {
		against []Slice
		figure  func(Slice) float64
		to      **float64
	}{
		cpuVsNginx:    {nginx, cpuOf, &out.CPUVsNginx},
		cpuVsHAProxy:  {m.slices[haproxyName], cpuOf, &out.CPUVsHAProxy},
		rpsVsNginx:    {nginx, rpsOf, &out.RPSVsNginx},
		memoryVsNginx: {nginx, bytesOf, &out.MemoryVsNginx},
	} {
		if ratio, ok := compare(ours, of.against, of.figure); ok {
			e.Measured[name] = ratio
			*of.to = &ratio.Median
		}
	}
	if main, ok := e.Measured[r.Targets[0].Ratio]; ok {
		out.Low, out.High, out.Minima = &main.Low, &main.High, &main.Minima
	}
	if aa, ok := compare(m.slices[controlName], nginx, figureOf(r.Targets[0].Ratio)); ok {
		out.AA, e.AA = &aa, &aa
	}
	beside := ours
	if len(ours) == 0 {
		beside = m.slices[haproxyName] // that the machine was noisy is to be seen here too
	}
	quiet := quietHalf(beside, nginx)
	if len(quiet) == 0 {
		quiet = quietest(pairsOf(beside, nginx, true)) // it may be why all are void
	}
	out.Noise = noiseOf(quiet)
	e.Noise = out.Noise.Most
	out.Rounds, out.Voided = len(nginx), e.Voided
	switch {
	case m.lacks[gateway] != "":
		out.Verdict, out.Why = NotYet, m.lacks[gateway]
	case m.wrong[gateway] != "":
		out.Verdict, out.Why = Missed, "its answer is wrong: "+m.wrong[gateway]
	default:
		out.Verdict, out.Why = judge(r.Targets, e)
	}
	return out
}

func figureOf(ratio string) func(Slice) float64 {
	switch ratio {
	case rpsVsNginx:
		return rpsOf
	case memoryVsNginx:
		return bytesOf
	}
	return cpuOf
}

func figuresOf(ss []Slice, why string) Figures {
	f := Figures{
		CPU: middle(ss, cpuOf), RPS: middle(ss, rpsOf), Bytes: middle(ss, bytesOf), Why: why,
		P50:  middle(ss, func(s Slice) float64 { return s.P50 }),
		P99:  middle(ss, func(s Slice) float64 { return s.P99 }),
		Busy: middle(ss, func(s Slice) float64 { return s.Busy }), Waited: middle(ss, func(s Slice) float64 { return s.Waited }),
	}
	for _, s := range ss {
		f.Errors += s.Errors
		if s.Void {
			f.Void++
		}
	}
	return f
}

func noiseOf(pairs []pair) Noise {
	var all []Slice
	n := Noise{}
	for _, p := range pairs {
		for _, s := range []Slice{p.a, p.b} {
			s.Void = false // the noise of a void slice is known, too
			all = append(all, s)
			n.Most = max(n.Most, stage.SixDigits(s.Foreign+s.Stolen))
		}
	}
	n.Foreign = middle(all, func(s Slice) float64 { return s.Foreign })
	n.Stolen = middle(all, func(s Slice) float64 { return s.Stolen })
	return n
}

func (r Result) cells() string {
	us := func(name string) string {
		f := r.Each[name]
		if f.Bytes > 0 {
			return fmt.Sprintf("%.0f B", f.Bytes)
		}
		return number(f.CPU, "%.1f")
	}
	main := r.CPUVsNginx
	if r.MemoryVsNginx != nil {
		main = r.MemoryVsNginx
	}
	span, aa := "-", "-"
	if r.Low != nil && r.High != nil {
		span = times(r.Low) + "-" + times(r.High)
	}
	if r.AA != nil {
		aa = fmt.Sprintf("%.2f-%.2f", r.AA.Low, r.AA.High)
	}
	return strings.Join([]string{
		r.Load, r.Gateway, us(r.Gateway), us(nginxName), us(haproxyName), times(main), span, times(r.Minima), times(r.CPUVsHAProxy),
		times(r.RPSVsNginx), aa, fmt.Sprintf("%.2f", r.Noise.Foreign), fmt.Sprintf("%.2f", r.Noise.Stolen), fmt.Sprint(r.Voided), string(r.Verdict),
	}, "\t")
}

func times(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *v)
}

func number(v float64, format string) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf(format, v)
}
