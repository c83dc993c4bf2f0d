package wire_test

import (
	"math"
	"slices"
	"testing"

	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

// lost are the frames below n that the seed loses.
func lost(seed uint64, name string, d wire.Direction, generation uint64, share float64, n uint64) []uint64 {
	var out []uint64
	for i := range n {
		if wire.FateOf(seed, name, d, generation, i, topology.Impairment{Loss: share}).Lost {
			out = append(out, i)
		}
	}
	return out
}

func TestSeedNameDirectionAndGenerationDecideWhichFramesAreLost(t *testing.T) {
	const share, n = 0.1, 60
	base := lost(42, "az1--az2", wire.AToB, 0, share, n)
	// The numbers are part of the meaning of a seed: a change here means that no
	// run can be repeated with the seed that it printed.
	if want := []uint64{2, 20, 28, 38, 41, 47, 56}; !slices.Equal(base, want) {
		t.Errorf("frames lost with seed 42: got %v, want %v", base, want)
	}
	if again := lost(42, "az1--az2", wire.AToB, 0, share, n); !slices.Equal(base, again) {
		t.Errorf("the same frames twice: got %v, then %v", base, again)
	}
	others := map[string][]uint64{
		"another seed":       lost(43, "az1--az2", wire.AToB, 0, share, n),
		"another name":       lost(42, "az1--az3", wire.AToB, 0, share, n),
		"another direction":  lost(42, "az1--az2", wire.BToA, 0, share, n),
		"another generation": lost(42, "az1--az2", wire.AToB, 1, share, n),
	}
	for what, got := range others {
		if slices.Equal(got, base) {
			t.Errorf("%s loses the same frames: %v", what, got)
		}
	}
}

func TestLargerShareLosesTheSameFramesAndMore(t *testing.T) {
	few, many := lost(7, "w", wire.AToB, 0, 0.05, 2000), lost(7, "w", wire.AToB, 0, 0.10, 2000)
	if len(many) <= len(few) {
		t.Errorf("10 %% loses %d frames, 5 %% loses %d", len(many), len(few))
	}
	for _, n := range few {
		if !slices.Contains(many, n) {
			t.Errorf("frame %d is lost at 5 %% and not at 10 %%", n)
		}
	}
}

func TestKindsOfHarmAreDrawnIndependently(t *testing.T) {
	const n, share = 100000, 0.1
	i := topology.Impairment{Loss: share, Duplicate: share, Corrupt: share, Reorder: share}
	var count [4]int
	var pairs [4][4]int
	var jitter, spread float64
	for k := range uint64(n) {
		f := wire.FateOf(1, "w", wire.AToB, 0, k, i)
		hits := [4]bool{f.Lost, f.Duplicate, f.Corrupt, f.Reorder}
		for a := range hits {
			for b := range hits {
				if hits[a] && hits[b] {
					pairs[a][b]++
				}
			}
			if hits[a] {
				count[a]++
			}
		}
		if f.Jitter < -1 || f.Jitter >= 1 {
			t.Fatalf("jitter of frame %d: %v is outside -1 to 1", k, f.Jitter)
		}
		jitter += f.Jitter
		spread += f.Jitter * f.Jitter
	}
	// Five standard deviations: a fair draw fails once in a million, and this one
	// is always the same draw.
	within := func(what string, got int, p float64) {
		if sd := math.Sqrt(n * p * (1 - p)); math.Abs(float64(got)-n*p) > 5*sd {
			t.Errorf("%s: got %d of %d, want %.0f ± %.0f", what, got, n, n*p, 5*sd)
		}
	}
	for a := range count {
		within("one kind", count[a], share)
		for b := range a {
			within("two kinds together", pairs[a][b], share*share)
		}
	}
	if mean := jitter / n; math.Abs(mean) > 5*math.Sqrt(1.0/3/n) {
		t.Errorf("mean of jitter: got %v, want 0", mean)
	}
	if v := spread / n; math.Abs(v-1.0/3) > 0.01 {
		t.Errorf("variance of jitter: got %v, want 1/3 (uniform)", v)
	}
}

func TestSharesOfZeroAndOneAreExact(t *testing.T) {
	if got := lost(1, "w", wire.AToB, 0, 0, 10000); len(got) != 0 {
		t.Errorf("share 0 lost %d frames", len(got))
	}
	if got := lost(1, "w", wire.AToB, 0, 1, 10000); len(got) != 10000 {
		t.Errorf("share 1 lost %d of 10000 frames", len(got))
	}
}
