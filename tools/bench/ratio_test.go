package main

import (
	"math"
	"testing"
	"time"

	"github.com/unilb/unilb/tools/bench/stage"
)

// slicesOf makes slices with these CPU times; foreign work follows, where it is given.
func slicesOf(cpu []float64, foreign ...float64) []Slice {
	out := make([]Slice, len(cpu))
	for i, v := range cpu {
		out[i] = Slice{Requests: 1, CPU: v, RPS: 1000 / v}
		if i < len(foreign) {
			out[i].Foreign = foreign[i]
		}
	}
	return out
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func TestRatioIsTheMedianOfRoundsOfTheQuietHalf(t *testing.T) {
	ours := slicesOf([]float64{8, 90, 7, 90, 6, 90}, 0.1, 2, 0.1, 2, 0.1, 2)
	base := slicesOf([]float64{10, 10, 10, 10, 10, 10})
	r, ok := compare(ours, base, cpuOf)
	if !ok || !near(r.Median, 0.7) || !near(r.Low, 0.6) || !near(r.High, 0.8) || r.Rounds != 3 {
		t.Errorf("got %+v, want 0.7 from 0.6 to 0.8 of 3 rounds", r)
	}
	if !near(r.Minima, 0.6) {
		t.Errorf("ratio of the minima %g, want 6/10", r.Minima)
	}
}

// What was quiet for one and loud for the other is not quiet.
func TestNoiseOfARoundIsThatOfItsLouderSlice(t *testing.T) {
	ours := slicesOf([]float64{1, 1, 1, 1, 1, 1})
	base := slicesOf([]float64{1, 2, 4, 1, 2, 4}, 0, 0, 3, 0, 0, 3)
	for _, p := range quietHalf(ours, base) {
		if p.b.Foreign > 0 {
			t.Errorf("a loud round is in the quiet half: %+v", p)
		}
	}
}

func TestStolenTimeCountsTwice(t *testing.T) {
	foreign, stolen := Slice{Foreign: 0.5}, Slice{Stolen: 0.3}
	if foreign.noise() >= stolen.noise() {
		t.Errorf("0.5 cores of others make %g, 0.3 stolen ones %g", foreign.noise(), stolen.noise())
	}
}

func TestVoidSlicesTakeTheirRoundsOut(t *testing.T) {
	ours, base := slicesOf([]float64{1, 1, 1, 1}), slicesOf([]float64{2, 2, 2, 2})
	ours[0].Void, base[3].Void = true, true
	ours[0].CPU = 0.001
	r, ok := compare(ours, base, cpuOf)
	if !ok || r.Rounds != 2 || !near(r.Minima, 0.5) {
		t.Errorf("got %+v, want two rounds and minima without the void slice", r)
	}
	for i := range ours {
		ours[i].Void = true
	}
	if r, ok := compare(ours, base, cpuOf); ok {
		t.Errorf("nothing to compare gave %+v", r)
	}
}

func TestQuietHalfHasThreeRoundsAtLeastAndHalfRoundedUp(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1, 2: 2, 3: 3, 4: 3, 6: 3, 7: 4, 11: 6, 12: 6} {
		ss := slicesOf(make([]float64, n))
		if got := len(quietHalf(ss, ss)); got != want {
			t.Errorf("%d rounds: %d in the quiet half, want %d", n, got, want)
		}
	}
}

func TestMiddleLeavesVoidSlicesOut(t *testing.T) {
	ss := slicesOf([]float64{5, 1, 3, 100})
	ss[3].Void = true
	if got := middle(ss, cpuOf); got != 3 {
		t.Errorf("got %g, want 3", got)
	}
	if got := middle(nil, cpuOf); got != 0 {
		t.Errorf("of nothing: %g", got)
	}
}

func TestCountersBecomeASlice(t *testing.T) {
	var before stage.Count
	after := stage.Count{At: before.At.Add(2 * time.Second), Busy: 1600 * time.Millisecond, Ours: time.Second, Group: 800 * time.Millisecond}
	s := since(after, before, Slice{Requests: 80_000})
	if !near(s.CPU, 10) || !near(s.Busy, 0.4) || !near(s.Foreign, 0.3) {
		t.Errorf("got %+v, want 10 us, 0.4 cores, 0.3 foreign", s)
	}
}
