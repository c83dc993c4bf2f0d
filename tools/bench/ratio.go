package main

import (
	"cmp"
	"slices"

	"github.com/unilb/unilb/tools/bench/stage"
)

// A Slice is what one proxy did during one piece of a row: about a second of load.
type Slice struct {
	Requests int     // that were answered
	RPS      float64 // answered requests a second
	CPU      float64 // CPU microseconds of all processes of the proxy for each answered request
	Busy     float64 // cores that the proxy used
	Waited   float64 // cores that the proxy would have used, had others not had the CPU
	P50, P99 float64 // milliseconds; 0: the load does not tell
	Errors   int     // requests that were not answered as they should have been
	Bytes    float64 // memory for each connection, of rows that measure it
	Foreign  float64 // cores that were used by what is not ours
	Stolen   float64 // cores that the machine's host took away
	Void     bool    // it may not be compared
}

// noise orders slices by how far they can be believed. Stolen time counts twice: it
// hits whoever runs, foreign work often finds an idle core.
func (s Slice) noise() float64 { return 2*s.Stolen + s.Foreign }

// A Ratio says how much more of something one proxy used than another.
type Ratio struct {
	Median float64 `json:"median"` // of the ratios of single rounds, over the quiet half
	Low    float64 `json:"low"`    // the ends of the quiet half
	High   float64 `json:"high"`
	Minima float64 `json:"minima"` // ratio of the smallest values of all rounds
	Rounds int     `json:"rounds"` // rounds of the quiet half
}

// spread is how far single rounds lie apart.
func (r Ratio) spread() float64 { return r.High - r.Low }

// A pair is what two proxies did in the same round.
type pair struct{ a, b Slice }

func (p pair) noise() float64 { return max(p.a.noise(), p.b.noise()) }

// quietHalf returns the pairs of the rounds in which the machine did the least
// beside: half of them, rounded up, but no less than three. Rounds with a void slice
// are left out before.
func quietHalf(as, bs []Slice) []pair {
	return quietest(pairsOf(as, bs, false))
}

func pairsOf(as, bs []Slice, evenVoid bool) (out []pair) {
	for i := range min(len(as), len(bs)) {
		if evenVoid || !as[i].Void && !bs[i].Void {
			out = append(out, pair{as[i], bs[i]})
		}
	}
	return out
}

func quietest(pairs []pair) []pair {
	const least = 3
	slices.SortStableFunc(pairs, func(p, q pair) int { return cmp.Compare(p.noise(), q.noise()) })
	return pairs[:min(len(pairs), max(least, (len(pairs)+1)/2))]
}

// compare is the ratio of a to b by one figure of slices; false: there is nothing
// to compare.
func compare(as, bs []Slice, figure func(Slice) float64) (Ratio, bool) {
	var rs []float64
	for _, p := range quietHalf(as, bs) {
		if d := figure(p.b); d > 0 {
			rs = append(rs, figure(p.a)/d)
		}
	}
	if len(rs) == 0 {
		return Ratio{}, false
	}
	slices.Sort(rs)
	r := Ratio{Median: stage.SixDigits(median(rs)), Low: stage.SixDigits(rs[0]), High: stage.SixDigits(rs[len(rs)-1]), Rounds: len(rs)}
	if least := smallest(bs, figure); least > 0 {
		r.Minima = stage.SixDigits(smallest(as, figure) / least)
	}
	return r, true
}

// smallest is the smallest value of the slices that are not void; 0: there is none.
func smallest(ss []Slice, figure func(Slice) float64) float64 {
	least := 0.0
	for _, s := range ss {
		if v := figure(s); !s.Void && (least == 0 || v < least) {
			least = v
		}
	}
	return least
}

// middle is the median of a figure over the slices that are not void; 0: there is
// none.
func middle(ss []Slice, figure func(Slice) float64) float64 {
	var vs []float64
	for _, s := range ss {
		if !s.Void {
			vs = append(vs, figure(s))
		}
	}
	if len(vs) == 0 {
		return 0
	}
	slices.Sort(vs)
	return stage.SixDigits(median(vs))
}

// median of sorted values, at least one.
func median(vs []float64) float64 {
	n := len(vs)
	return (vs[(n-1)/2] + vs[n/2]) / 2
}

// figures of slices that are compared.
func cpuOf(s Slice) float64   { return s.CPU }
func rpsOf(s Slice) float64   { return s.RPS }
func bytesOf(s Slice) float64 { return s.Bytes }
