package compare

import (
	"math/rand/v2"
	"testing"
	"time"
)

// pairsOf are pairs whose head takes that many times as long as the base, with
// noise of so much on each.
func pairsOf(seed uint64, n int, ratio, noise float64) []Pair {
	r := rand.New(rand.NewPCG(seed, 1))
	one := func(times float64) Sample {
		f := times * (1 + noise*r.NormFloat64())
		return Sample{
			P50: time.Duration(f * 1e6), P99: time.Duration(f * 3e6), PerSecond: 8000 / f, CPU: time.Duration(f * 8e4), RSS: int64(f * (20 << 20)),
		}
	}
	var out []Pair
	for range n {
		out = append(out, Pair{Base: one(1), Head: one(ratio)})
	}
	return out
}

func TestFiguresNeedPairsAnIntervalAndAnEffect(t *testing.T) {
	for name, c := range map[string]struct {
		pairs []Pair
		want  string
	}{
		"a fifth slower":        {pairsOf(1, 7, 1.2, 0.02), string(Slower)},
		"a fifth faster":        {pairsOf(2, 7, 0.8, 0.02), string(Faster)},
		"sure, but too little":  {pairsOf(3, 7, 1.08, 0.001), NoEvidence},
		"much, but not sure":    {pairsOf(4, 7, 1.1, 0.4), NoEvidence},
		"the same":              {pairsOf(5, 7, 1, 0.02), NoEvidence},
		"four pairs":            {pairsOf(6, 4, 2, 0.001), NoEvidence},
		"five pairs":            {pairsOf(7, 5, 2, 0.001), string(Slower)},
		"a load that failed":    {append(pairsOf(8, 6, 2, 0.001), Pair{Base: Sample{P50: 1, P99: 1, PerSecond: 1, CPU: 1, RSS: 1}, Head: Sample{Failed: 3}}), NotTaken},
		"a load without figure": {append(pairsOf(9, 6, 2, 0.001), Pair{}), NotTaken},
	} {
		fs := Figures(c.pairs)
		if len(fs) != len(measures) {
			t.Errorf("%s: got %d figures, want %d", name, len(fs), len(measures))
		}
		for _, f := range fs {
			if f.Verdict != c.want {
				t.Errorf("%s: %s: got %s (%s), want %s", name, f.Name, f.Verdict, f.change(), c.want)
			}
			if f.Verdict == NotTaken && f.Why == "" {
				t.Errorf("%s: %s: it does not say why", name, f.Name)
			}
		}
	}
	if got := Figures(pairsOf(1, 7, 1.2, 0.02))[0]; got.Low >= got.Ratio || got.High <= got.Ratio || got.Low < 1.1 || got.High > 1.3 {
		t.Errorf("interval of a fifth: got %s", got.change())
	}
	if Figures(nil) != nil {
		t.Error("no pairs give figures")
	}
}

func TestADifferenceMustShowTwice(t *testing.T) {
	slow, same := pairsOf(11, 7, 1.5, 0.02), pairsOf(12, 7, 1, 0.02)
	fast := pairsOf(14, 7, 0.6, 0.02)
	if !Suspect(Figures(slow)) || !Suspect(Figures(fast)) || Suspect(Figures(same)) {
		t.Error("slow ones and fast ones are suspect, and no others")
	}
	for _, f := range Confirmed(slow, pairsOf(13, 7, 1.3, 0.02)) {
		if f.Verdict != string(Slower) || f.Pairs != 14 || f.High/f.Low < 1.5/1.3 {
			t.Errorf("twice: %s: got %s, %s; want it slower, with an interval that spans both series", f.Name, f.Verdict, f.change())
		}
	}
	for name, second := range map[string][]Pair{"the same": same, "the other way round": fast, "cut short": slow[:MinPairs-1], "none": nil} {
		for _, f := range Confirmed(slow, second) {
			if f.Verdict != NoEvidence || f.Why == "" || f.Low == 0 {
				t.Errorf("a second series that is %s: %s: got %+v, want %s and why", name, f.Name, f, NoEvidence)
			}
		}
	}
}
