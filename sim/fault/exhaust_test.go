package fault

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/topology"
)

var exhausting = []Fault{
	ExhaustFDs{On: "bj/az1/l7-1", Process: "gateway"},
	ExhaustFDs{On: "bj/**", Keep: 3},
	ExhaustPorts{On: "bj/az1/*"},
	ExhaustPorts{On: "bj/az1/*", Keep: 1},
	ExhaustPorts{On: "bj/az1/*", Keep: 5},
	ExhaustPorts{On: "bj/az1/*", Keep: 6},
	ExhaustConnections{On: "bj/az1/*", Seed: 9},
}

func TestExhaustionHealsToWhatWasBeforeInAnyProcess(t *testing.T) {
	for _, f := range exhausting {
		w := newWorld()
		l, path := ledger(t)
		a, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", f)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if sameScarcity(w, newWorld()) {
			t.Errorf("%s changed nothing", f)
		}
		// What another process finds in the ledger must be enough, also when the
		// fault was applied twice.
		found, err := Decode(pending(t, path)[0].Fault)
		if err != nil || !reflect.DeepEqual(found, a.Fault()) {
			t.Fatalf("%s: the ledger has %+v (%v), applied was %+v", f, found, err, a.Fault())
		}
		for _, err := range []error{found.Apply(t.Context(), w), found.Revert(t.Context(), w), found.Revert(t.Context(), w)} {
			if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
		}
		if !sameScarcity(w, newWorld()) {
			t.Errorf("%s: something is left of it: %+v", f, w.machines[0].scarce)
		}
	}
}

func sameScarcity(a, b *world) bool {
	return slices.EqualFunc(a.machines, b.machines, func(x, y *fake) bool { return reflect.DeepEqual(x.scarce, y.scarce) })
}

func TestDescriptorLimitLeavesExactlyWhatIsKept(t *testing.T) {
	for _, c := range []struct {
		open []int
		keep int
		want uint64
	}{
		{nil, 0, 0}, {nil, 2, 2}, {[]int{0, 1, 2}, 0, 3}, {[]int{0, 1, 2}, 1, 4},
		{[]int{0, 1, 4}, 0, 2}, {[]int{0, 1, 4}, 2, 5}, {[]int{0, 1, 4}, 3, 6}, {[]int{3}, 0, 0},
	} {
		f := Files{Open: c.open}
		if f.Limit = f.limitFor(c.keep); f.Limit != c.want || f.room() != c.keep {
			t.Errorf("open %v, keep %d: limit %d leaves %d, want limit %d", c.open, c.keep, f.Limit, f.room(), c.want)
		}
	}
}

func TestDescriptorLimitFollowsAProcessThatClosesSome(t *testing.T) {
	w := newWorld()
	m := w.machines[0]
	f, err := ExhaustFDs{On: "bj/az1/l7-1", Process: "lbc-agent"}.Resolve(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Apply(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	m.scarce.files["lbc-agent"][0].Open = []int{0, 1}
	if err := f.Apply(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if got := m.scarce.files["lbc-agent"][0]; got.room() != 0 {
		t.Errorf("%d more descriptors are left", got.room())
	}
}

func TestDescriptorLimitIsRestoredWhereItIsStillInForce(t *testing.T) {
	w := newWorld()
	m := w.machines[0]
	f, err := ExhaustFDs{On: "bj/az1/l7-1"}.Resolve(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Apply(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	// The gateway has a child that inherited the limit; the agent was started again.
	m.scarce.files["gateway"] = append(m.scarce.files["gateway"], Files{Pid: 20, Started: 7, Limit: 4})
	m.scarce.files["lbc-agent"] = []Files{{Pid: 12, Started: 8, Limit: 77}}
	if err := f.Revert(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	var got []uint64
	for _, p := range []string{"gateway", "lbc-agent"} {
		for _, files := range m.scarce.files[p] {
			got = append(got, files.Limit)
		}
	}
	if want := []uint64{1024, 512, 1024, 77}; !slices.Equal(got, want) {
		t.Errorf("limits %v, want %v", got, want)
	}
}

func TestPinLossEndsWhatHasPinsAndStartsItAgain(t *testing.T) {
	w := newWorld()
	m := w.machines[0]
	f, err := PinLoss{On: "bj/az1/l7-1"}.Resolve(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Apply(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if want := []string{"kill lbc-agent", "remove pins"}; !slices.Equal(w.log, want) || m.scarce.links[1] {
		t.Errorf("did %v, want %v; links %v", w.log, want, m.scarce.links)
	}
	// The process comes back, but attaches one program less.
	before := plenty().pins["lbc-agent"]
	m.scarce.pins["lbc-agent"] = append(slices.Clone(before[:2]), before[3], before[3])
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Revert(ctx, w); err == nil || !strings.Contains(err.Error(), "4 pins and 1 programs attached, before 4 and 2") {
		t.Errorf("a program is missing: got %v", err)
	}
	m.scarce.pins["lbc-agent"] = before
	if err := f.Revert(t.Context(), w); err != nil || !m.running["lbc-agent"] {
		t.Errorf("got %v, runs %t", err, m.running["lbc-agent"])
	}
}

func TestExhaustionThatDoesNotTakeHoldIsAnErrorAndReverted(t *testing.T) {
	for name, c := range map[string]struct {
		f    Fault
		want string
	}{
		"descriptors": {ExhaustFDs{On: "bj/az1/l7-1", Process: "gateway"}, "can still open more than 0"},
		"ports":       {ExhaustPorts{On: "bj/az1/l7-1", Keep: 2}, "still opens 3 connections"},
		"table":       {ExhaustConnections{On: "bj/az1/l7-1"}, "only 5 entries of 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			w := deaf{newWorld()}
			l, path := ledger(t)
			if _, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", c.f); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if p := pending(t, path); len(p) != 0 {
				t.Errorf("pending: %v", p)
			}
		})
	}
}

// deaf is a world whose machines say yes and do nothing.
type deaf struct{ *world }

func (d deaf) Machines(s topology.Selector) []Machine {
	var out []Machine
	for _, m := range d.world.Machines(s) {
		out = append(out, deafMachine{m.(*fake)})
	}
	return out
}

type deafMachine struct{ *fake }

func (deafMachine) LimitFiles(string, Files, uint64) error { return nil }
func (deafMachine) SetLocalPorts(LocalPorts) error         { return nil }
func (deafMachine) FillConns(uint64) error                 { return nil }

func TestWhatCannotBeExhaustedIsUnavailable(t *testing.T) {
	applied := func(f Fault) func(*world) {
		return func(w *world) {
			l, _ := ledger(t)
			if _, err := Inject(t.Context(), w, l, &recorder{}, "f0", "", f); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		f       Fault
		prepare func(*world)
		want    string
	}{
		"no process":            {ExhaustFDs{On: "bj/**", Process: "nginx"}, nil, "runs nginx"},
		"no descriptor anyway":  {exhausting[0], applied(exhausting[0]), "may open 0 more descriptors as it is"},
		"negative":              {ExhaustFDs{On: "bj/**", Keep: -1}, nil, "between 0 and"},
		"ports of nobody":       {ExhaustPorts{On: "sh/**"}, nil, "no node"},
		"no ports anyway":       {exhausting[2], applied(exhausting[4]), "as it is"},
		"too many ports":        {ExhaustPorts{On: "bj/**", Keep: maxKeep + 1}, nil, "between 0 and"},
		"no connection table":   {ExhaustConnections{On: "bj/**"}, func(w *world) { w.machines[1].scarce.foreign = nil }, errFake.Error()},
		"table is full anyway":  {ExhaustConnections{On: "bj/**"}, applied(exhausting[6]), "955 entries of 1000 as it is"},
		"nothing pinned":        {PinLoss{On: "bj/**", Process: "gateway"}, nil, "no program attached by a pin"},
		"dead process has pins": {PinLoss{On: "bj/az1/l7-1", Process: "lbc-agent"}, func(w *world) { w.machines[0].running["lbc-agent"] = false }, "does not run"},
	} {
		w := newWorld()
		if c.prepare != nil {
			c.prepare(w)
		}
		w.log = nil
		l, path := ledger(t)
		var un *Unavailable
		_, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", c.f)
		if !errors.As(err, &un) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want *Unavailable with %q", name, err, c.want)
		}
		if len(w.log) != 0 || len(pending(t, path)) != 0 {
			t.Errorf("%s: did %v, pending %v", name, w.log, pending(t, path))
		}
	}
}

func TestWhatResolveKeepsIsNoWordOfTheCommandLine(t *testing.T) {
	for _, k := range Kinds() {
		if slices.ContainsFunc(k.Fields, func(f Field) bool { return f.Doc == "" }) {
			t.Errorf("%s: %v", k.Name, k.Fields)
		}
	}
	_, err := Parse("exhaust-ports", "a/b", "was=[]")
	if err == nil || !strings.Contains(err.Error(), `has no "was"`) {
		t.Errorf("got %v", err)
	}
}

func TestExhaustionComposesWithOtherFaultsButNotWithItself(t *testing.T) {
	gateway := func(f Fault) []Fault { return []Fault{f, Kill{On: "bj/az1/l7-1", Process: "gateway"}} }
	for name, c := range map[string]struct {
		both []Fault
		held string // what the first holds and the second claims
	}{
		"descriptors twice":             {[]Fault{ExhaustFDs{On: "bj/az1/*", Process: "gateway"}, ExhaustFDs{On: "bj/**"}}, "the descriptors of gateway on bj/az1/l7-1"},
		"ports twice":                   {[]Fault{ExhaustPorts{On: "bj/az1/*"}, ExhaustPorts{On: "bj/**", Keep: 2}}, "the local ports of bj/az1/l7-1"},
		"table twice":                   {[]Fault{ExhaustConnections{On: "bj/az1/*"}, ExhaustConnections{On: "bj/**", Seed: 2}}, "the connection table of bj/az1/l7-1"},
		"pins, and the agent crashes":   {[]Fault{PinLoss{On: "bj/az1/l7-1"}, AgentCrash{On: "bj/az1/l7-1"}}, "process lbc-agent on bj/az1/l7-1"},
		"descriptors of what is killed": {gateway(ExhaustFDs{On: "bj/az1/l7-1", Process: "gateway"}), ""},
		"pins beside what is killed":    {gateway(PinLoss{On: "bj/az1/l7-1"}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, order := range [][]int{{0, 1}, {1, 0}} {
				w := newWorld()
				l, _ := ledger(t)
				a, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", c.both[0])
				if err != nil {
					t.Fatal(err)
				}
				b, err := Inject(t.Context(), w, l, &recorder{}, "f2", "", c.both[1])
				if c.held != "" {
					if err == nil || !strings.Contains(err.Error(), "in force already: f1") || !strings.Contains(err.Error(), c.held) {
						t.Errorf("got %v, want that f1 holds %s", err, c.held)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				w.machines[0].scarce.pins = plenty().pins // a new process pins again
				for _, i := range order {
					if err := []*Active{a, b}[i].Heal(t.Context()); err != nil {
						t.Errorf("order %v: %v", order, err)
					}
				}
				if m := w.machines[0]; !m.running["gateway"] || !m.running["lbc-agent"] {
					t.Errorf("order %v: running %v", order, m.running)
				}
			}
		})
	}
}
