package fault

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/unilb/unilb/topology"
)

func TestFaultThatDoesNotTakeHoldFailsAndLeavesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		f     Fault
		numb  func(*world)
		wants string
	}{
		"packets pass":       {Partition{A: "bj/az1/*", B: "bj/az2/*", Direction: AToB}, func(w *world) { w.machines[1].deaf = true }, "what bj/az1/l7-2 sends still arrives at [10.0.0.3]"},
		"cable does nothing": {Impair{Link: "bj/az1/router--bj/az2/router", Impairment: topology.Impairment{Loss: 1}}, func(w *world) { w.links[1].numb = true }, "does"},
		"no queue":           {RateLimit{Link: "bj/az1/l7-1", Rate: 1e6}, func(w *world) { w.links[0].ports[0].stubborn = true }, "is limited to 0 bit/s, want 1000000"},
		"wire without rate":  {RateLimit{Link: "bj/az2/router", Rate: 1e6}, func(w *world) { w.links[1].numb = true }, "want"},
		"backend behaves":    {Backend{On: "bj/az1/l7-1", Do: Garbage}, func(w *world) { w.machines[0].deaf = true }, "the backend of bj/az1/l7-1 does not garbage"},
	} {
		w, before := newWorld(), newWorld()
		c.numb(w)
		l, path := ledger(t)
		_, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", c.f)
		var un *Unavailable
		if err == nil || errors.As(err, &un) || !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%s: got %v, want %q", name, err, c.wants)
		}
		if !same(w, before) || len(pending(t, path)) != 0 {
			t.Errorf("%s: something is left, pending %v", name, pending(t, path))
		}
	}
}

func TestWhatALabLacksIsSaidToBeTheLabs(t *testing.T) {
	errNoTBF := errors.New("no tbf in this kernel")
	for name, c := range map[string]struct {
		f       Fault
		lack    func(*world)
		machine bool
		wants   string
	}{
		"kernel link":   {Impair{Link: "bj/az1/l7-1", Impairment: topology.Impairment{Loss: 1}}, nil, true, "link bj/az1/l7-1--bj/az1/router is a kernel link; give it a wire"},
		"no tbf":        {RateLimit{Link: "bj/az1/l7-1", Rate: 1e6}, func(w *world) { w.links[0].ports[0].lacks = errNoTBF }, true, "no tbf"},
		"no link":       {LinkDown{Link: "sh/**"}, nil, false, "no link is selected"},
		"down already":  {LinkDown{Link: "bj/az1/l7-1"}, func(w *world) { w.links[0].ports[1].up = false }, false, "is down already"},
		"limited":       {RateLimit{Link: "bj/az1/l7-1", Rate: 1e6}, func(w *world) { w.links[0].ports[0].rate = 5e6 }, false, "limited to 5 Mbit/s already"},
		"share above 1": {Impair{Link: "bj/az2/router", Impairment: topology.Impairment{Loss: 3}}, nil, false, "loss 3"},
		"no backend":    {Backend{On: "sh/**", Do: Hang}, nil, false, "no node is selected"},
		"no power":      {Backend{On: "bj/az1/l7-1", Do: Hang}, func(w *world) { w.machines[0].off = true }, false, "has no power"},
		"no agent":      {AgentCrash{On: "sh/**"}, nil, false, "no node is selected"},
	} {
		w := newWorld()
		if c.lack != nil {
			c.lack(w)
		}
		l, path := ledger(t)
		_, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", c.f)
		var un *Unavailable
		if !errors.As(err, &un) || un.Machine != c.machine || !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%s: got %v, want *Unavailable (of the machine: %t) with %q", name, err, c.machine, c.wants)
		}
		if len(w.log) != 0 || len(pending(t, path)) != 0 {
			t.Errorf("%s: did %v, pending %v", name, w.log, pending(t, path))
		}
	}
}

func TestSurveyNamesTheKindsThatALabCannotHave(t *testing.T) {
	w := newWorld()
	lacking := func() (out []string) {
		for _, k := range Kinds() {
			if Lacking(k, w) != "" {
				out = append(out, k.Name)
			}
		}
		return out
	}
	if got := lacking(); got != nil {
		t.Errorf("a lab with everything lacks %v", got)
	}
	w.links = w.links[:1]
	w.links[0].ports[0].lacks = errFake
	w.machines = nil
	if got, want := lacking(), []string{"agent-crash", "rate-limit", "impair", "backend", "exhaust-connections", "pin-loss"}; !reflect.DeepEqual(got, want) {
		t.Errorf("a lab without wires, tbf and nodes lacks %v, want %v", got, want)
	}
}

func TestDirectionIsThatOfTheSelector(t *testing.T) {
	for _, c := range []struct {
		sel  topology.LinkSelector
		dir  Direction
		want Direction // of the cable
	}{
		{"bj/az1/router--bj/az2/router", AToB, AToB},
		{"bj/az2/router--bj/az1/router", AToB, BToA},
		{"bj/az2/router--bj/az1/router", BToA, AToB},
		{"bj/az2/**", AToB, BToA},
	} {
		w := newWorld()
		i := topology.Impairment{Loss: 1}
		if err := (Impair{Link: c.sel, Direction: c.dir, Impairment: i}).Apply(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		other := AToB
		if c.want == AToB {
			other = BToA
		}
		if does := w.links[1].does; !sameImpairment(does[c.want], i) || sameImpairment(does[other], i) {
			t.Errorf("%s %s: the cable does %+v", c.sel, c.dir, does)
		}
	}
}

func TestTouchesAreBothEndsOfALinkAndOnlyNodesThatAreHit(t *testing.T) {
	w := newWorld()
	for _, c := range []struct {
		f    Fault
		want []topology.Ref
	}{
		{Impair{Link: "bj/az2/router--bj/az1/router", Direction: AToB}, []topology.Ref{"bj/az1/router", "bj/az2/router"}},
		{LinkDown{Link: "bj/az1/**", Side: SideB}, []topology.Ref{"bj/az1/l7-1", "bj/az1/router", "bj/az2/router"}},
		{RateLimit{Link: "bj/az1/l7-1"}, []topology.Ref{"bj/az1/l7-1", "bj/az1/router"}},
		{AgentCrash{On: "bj/az2/**"}, []topology.Ref{"bj/az2/l7-1"}},
		{Backend{On: "bj/az1/*", Do: Slow}, []topology.Ref{"bj/az1/l7-1", "bj/az1/l7-2"}},
	} {
		if got := c.f.Touches(w); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: touches %v, want %v", c.f, got, c.want)
		}
	}
}
