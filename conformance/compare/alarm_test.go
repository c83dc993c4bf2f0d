package compare

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A rig draws series of pairs.
type rig func(r *rand.Rand) []Pair

// verdicts takes comparisons as lbsim takes them, and counts how often a figure is
// called slower and faster.
func verdicts(seed uint64, trials int, series rig) (slower, faster map[string]int) {
	slower, faster = map[string]int{}, map[string]int{}
	r := rand.New(rand.NewPCG(seed, 2))
	for range trials {
		first := series(r)
		fs := Figures(first)
		if Suspect(fs) {
			fs = Confirmed(first, series(r))
		}
		any := map[string]bool{}
		for _, f := range fs {
			any[f.Verdict] = true
			switch f.Verdict {
			case string(Slower):
				slower[f.Name]++
			case string(Faster):
				faster[f.Name]++
			}
		}
		if any[string(Slower)] {
			slower["any"]++
		}
		if any[string(Faster)] {
			faster["any"]++
		}
	}
	return slower, faster
}

// modelled are series of a head that takes so many times as long. Each series has a
// bias of its own, which all of its pairs share, and the machine gets slower and
// faster under both sides.
func modelled(times, noise, bias float64) rig {
	return func(r *rand.Rand) []Pair {
		head := times * math.Exp(bias*r.NormFloat64())
		var out []Pair
		drift := 0.0
		for i := range 9 {
			one := func(times float64) Sample {
				drift += 0.03 * r.NormFloat64()
				f := times * math.Exp(drift+noise*r.NormFloat64())
				return Sample{P50: time.Duration(f * 1e6), P99: time.Duration(f * 3e6), PerSecond: 8000 / f, CPU: time.Duration(f * 8e4), RSS: int64(f * (20 << 20))}
			}
			var p Pair
			if i%2 == 0 {
				p.Base, p.Head = one(1), one(head)
			} else {
				p.Head, p.Base = one(head), one(1)
			}
			out = append(out, p)
		}
		return out
	}
}

// TestTheSameBuildIsSeldomCalledSlower is about the method itself.
func TestTheSameBuildIsSeldomCalledSlower(t *testing.T) {
	const trials = 4000
	slower, faster := verdicts(1, trials, modelled(1, 0.1, 0.05))
	if n := max(slower["any"], faster["any"]); n > trials/100 {
		t.Errorf("slower %v, faster %v of %d", slower, faster, trials)
	}
	t.Logf("slower %v, faster %v of %d", slower, faster, trials)
}

// TestABuildThatNeedsAFourthMoreIsCalledSlower: what never gives an alarm would pass
// the test above.
func TestABuildThatNeedsAFourthMoreIsCalledSlower(t *testing.T) {
	const trials = 1000
	slower, faster := verdicts(3, trials, modelled(1.25, 0.08, 0.03))
	for _, m := range measures {
		if n := slower[m.name]; n < trials*8/10 || faster["any"] > 0 {
			t.Errorf("%s: %d of %d slower, %v faster", m.name, n, trials, faster)
		}
	}
	t.Logf("slower %v of %d", slower, trials)
}

// recorded are comparisons of one build with itself, as lbsim compare took them on a
// machine of two cores that did much else: in one-process one gateway process took all
// loads of a side, in new-process-each-load every load has its own.
func recorded(t *testing.T, name string) [][]Pair {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "same", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]Pair
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out
}

// bySeries are the pairs of a comparison, those of each series by themselves.
func bySeries(pairs []Pair) (first, second []Pair) {
	i := slices.IndexFunc(pairs, func(p Pair) bool { return p.Series == 2 })
	if i < 0 {
		return pairs, nil
	}
	return pairs[:i], pairs[i:]
}

func exchanged(pairs []Pair) []Pair {
	out := slices.Clone(pairs)
	for i, p := range out {
		out[i].Base, out[i].Head = p.Head, p.Base
	}
	return out
}

// With intervals of 95 %, and 5 % as the smallest difference, the last comparison of
// the first file found that the head needs less CPU; with the sides exchanged, more.
func TestOneBuildAgainstItselfIsNeitherSlowerNorFaster(t *testing.T) {
	for _, name := range []string{"one-process", "new-process-each-load"} {
		for i, comparison := range recorded(t, name) {
			for _, pairs := range [][]Pair{comparison, exchanged(comparison)} {
				fs := Figures(pairs)
				if first, second := bySeries(pairs); second != nil {
					fs = Confirmed(first, second)
				}
				for _, f := range fs {
					if f.differs() {
						t.Errorf("%s, comparison %d: %s is %s, %s", name, i, f.Name, f.Verdict, f.change())
					}
				}
			}
		}
	}
}

// drawn are series made of recorded ones: one of them, its pairs drawn anew, the sides
// exchanged or not, the head so many times as slow. That is another series of the same
// build against itself, or against one that takes longer.
func drawn(all [][]Pair, pairs int, times float64) rig {
	return func(r *rand.Rand) []Pair {
		from := all[r.IntN(len(all))]
		if r.IntN(2) == 1 {
			from = exchanged(from)
		}
		out := make([]Pair, pairs)
		for i := range out {
			out[i] = from[r.IntN(len(from))]
			h := &out[i].Head
			h.P50, h.P99, h.CPU = time.Duration(float64(h.P50)*times), time.Duration(float64(h.P99)*times), time.Duration(float64(h.CPU)*times)
			h.PerSecond /= times
		}
		return out
	}
}

// TestAlarmsOnABusyMachine is what docs/compare.md says of them.
func TestAlarmsOnABusyMachine(t *testing.T) {
	const trials, pairs = 4000, 9
	var all [][]Pair
	for _, comparison := range recorded(t, "new-process-each-load") {
		first, second := bySeries(comparison)
		if all = append(all, first); second != nil {
			all = append(all, second)
		}
	}
	slower, faster := verdicts(5, trials, drawn(all, pairs, 1))
	if n := max(slower["any"], faster["any"]); n > trials/100 {
		t.Errorf("the same build: slower %v, faster %v of %d", slower, faster, trials)
	}
	t.Logf("the same build: slower %v, faster %v of %d", slower, faster, trials)
	for _, c := range []struct{ times, least float64 }{{1.2, 0.8}, {1.25, 0.9}, {1.5, 1}} {
		slower, faster = verdicts(6, trials/4, drawn(all, pairs, c.times))
		if n := slower["CPU of a request"]; float64(n) < c.least*trials/4 || faster["any"] > 0 {
			t.Errorf("%.2f times: slower %v, faster %v of %d", c.times, slower, faster, trials/4)
		}
		t.Logf("%.2f times: slower %v of %d", c.times, slower, trials/4)
	}
}
