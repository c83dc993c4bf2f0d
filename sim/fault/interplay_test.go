package fault

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/topology"
)

func TestSecondFaultOnTheSameThingIsRefusedUntilTheFirstIsHealed(t *testing.T) {
	for name, c := range map[string]struct{ first, second Fault }{
		"killed and frozen":             {Kill{On: "bj/az1/l7-1", Process: "gateway"}, Freeze{On: "bj/az1/*"}},
		"frozen, then without power":    {Freeze{On: "bj/az1/l7-1"}, PowerOff{On: "bj/az1/**"}},
		"killed, then without power":    {Kill{On: "bj/az1/l7-1"}, PowerOff{On: "bj/az1/**"}},
		"agent":                         {AgentCrash{On: "bj/az1/l7-1"}, Kill{On: "bj/az1/l7-1"}},
		"link down, then without power": {LinkDown{Link: "bj/az1/l7-1--bj/az1/router", Side: SideB}, PowerOff{On: "bj/az1/l7-1"}},
		"both ends of a link":           {LinkDown{Link: "bj/az1/l7-1--bj/az1/router", Side: SideB}, LinkDown{Link: "bj/az1/l7-1--bj/az1/router", Side: SideA}},
		"impaired twice":                {Impair{Link: "**--bj/az2/router", Impairment: topology.Impairment{Loss: 1}}, Impair{Link: "bj/az2/router", Direction: AToB, Impairment: topology.Impairment{Delay: 1}}},
		"impaired and limited":          {Impair{Link: "**--bj/az2/router", Impairment: topology.Impairment{Loss: 1}}, RateLimit{Link: "**", Rate: 1e6}},
		"limited twice":                 {RateLimit{Link: "bj/az1/l7-1", Rate: 1e6}, RateLimit{Link: "**", Rate: 1e7}},
		"partition":                     {Partition{A: "bj/az1/*", B: "bj/az2/*"}, Partition{A: "bj/az1/*", B: "bj/az2/*"}},
		"backend":                       {Backend{On: "bj/az1/l7-1", Do: Slow}, Backend{On: "bj/**", Do: Hang}},
		"slow disk and full":            {EtcdSlowDisk{On: "bj/az1/l7-1", Delay: slowly}, ExhaustDisk{On: "bj/**"}},
		"full disk and killed":          {ExhaustDisk{On: "bj/az1/l7-1"}, Kill{On: "bj/az1/l7-1"}},
		"failing disk and frozen":       {EtcdSlowDisk{On: "bj/az1/*", Error: "EIO"}, Freeze{On: "bj/az1/l7-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			w, before := newWorld(), newWorld()
			l, path := ledger(t)
			a, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", c.first)
			if err != nil {
				t.Fatal(err)
			}
			w.log = nil
			var un *Unavailable
			if _, err := Inject(t.Context(), w, l, &recorder{}, "f2", "", c.second); !errors.As(err, &un) || !strings.Contains(err.Error(), "in force already: f1") || un.Machine {
				t.Errorf("second: got %v, want that f1 is in force already", err)
			}
			if p := pending(t, path); len(w.log) != 0 || len(p) != 1 {
				t.Errorf("the refused fault did %v, pending %v", w.log, p)
			}
			if err := a.Heal(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !same(w, before) {
				t.Error("something is left of the first")
			}
			b, err := Inject(t.Context(), w, l, &recorder{}, "f3", "", c.second)
			if err != nil {
				t.Fatalf("after healing the first: %v", err)
			}
			if err := b.Heal(t.Context()); err != nil || !same(w, before) {
				t.Errorf("healing the second: %v", err)
			}
		})
	}
}

func TestFaultsOnDifferentThingsComposeAndHealInAnyOrder(t *testing.T) {
	both := []Fault{
		Impair{Link: "bj/az1/router--bj/az2/router", Direction: AToB, Impairment: topology.Impairment{Loss: 1}},
		Impair{Link: "bj/az1/router--bj/az2/router", Direction: BToA, Impairment: topology.Impairment{Delay: time.Second}},
		Partition{A: "bj/az1/*", B: "bj/az2/*"},
		Partition{A: "bj/az1/*", B: "bj/az2/*", Direction: AToB},
		Kill{On: "bj/az1/l7-1", Process: "gateway"},
		AgentCrash{On: "bj/az1/l7-1"},
		Backend{On: "bj/az1/l7-1", Do: Sick},
		RateLimit{Link: "bj/az1/l7-1", Rate: 1e6},
		LinkDown{Link: "bj/az1/l7-1", Side: SideA},
	}
	for _, first := range [][]int{{0, 1, 2, 3, 4, 5, 6, 7, 8}, {8, 7, 6, 5, 4, 3, 2, 1, 0}} {
		w, before := newWorld(), newWorld()
		l, _ := ledger(t)
		active := map[int]*Active{}
		for i, f := range both {
			a, err := Inject(t.Context(), w, l, &recorder{}, string(rune('a'+i)), "", f)
			if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			active[i] = a
		}
		for n, i := range first {
			if err := active[i].Heal(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, j := range first[n+1:] {
				if !inForce(w, both[j]) {
					t.Errorf("healing %q undid %q", both[i], both[j])
				}
			}
		}
		if !same(w, before) {
			t.Error("something is left")
		}
	}
}

// inForce looks at the world, not at what the fault believes.
func inForce(w *world, f Fault) bool {
	m, l, wire := w.machines[0], w.links[0], w.links[1]
	switch f := f.(type) {
	case Impair:
		return sameImpairment(wire.does[f.Direction], f.Impairment)
	case Partition:
		return m.drops[f.id()] != nil
	case Kill:
		return !m.running["gateway"]
	case AgentCrash:
		return !m.running["lbc-agent"]
	case Backend:
		return m.told.Do == f.Do
	case RateLimit:
		return l.ports[0].rate == f.Rate
	case LinkDown:
		return !l.ports[0].up
	}
	return false
}

func TestFailedRevertOfAFailedApplyIsStillToBeHealed(t *testing.T) {
	w := newWorld()
	w.machines[0].deaf = true
	w.fail = "undrop"
	l, path := ledger(t)
	a, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", Partition{A: "bj/az1/*", B: "bj/az2/*"})
	if a == nil || err == nil || !errors.Is(err, errFake) || !strings.Contains(err.Error(), "still arrives") {
		t.Fatalf("got %v, %v, want the Active with both errors", a, err)
	}
	w.fail = ""
	if err := a.Heal(t.Context()); err != nil || len(pending(t, path)) != 0 {
		t.Errorf("heal: %v, pending %v", err, pending(t, path))
	}
}
