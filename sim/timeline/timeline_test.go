package timeline

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

const ms = time.Millisecond

// outage is a run in which a gateway loses its power.
func outage() *history.History {
	return &history.History{
		Ops: []history.Op{
			{ID: "a1", Stream: "shop", Sent: 100 * ms, Returned: 110 * ms, Outcome: history.OK},
			{ID: "a12", Stream: "shop", Sent: 3000 * ms, Returned: 3100 * ms, Outcome: history.Info, Class: history.ClassReset},
			{ID: "b1", Stream: "blog", Sent: 3050 * ms, Returned: 3060 * ms, Outcome: history.Fail, Class: history.ClassRefused},
			{ID: "b2", Stream: "blog", Sent: 9000 * ms},
		},
		Arrivals: []history.Arrival{
			{ID: "a12", Backend: "idc/bj/blue-1", From: "10.101.4.3:4000", At: 3020 * ms},
			{ID: "a12", Backend: "idc/bj/blue-2", From: "10.101.4.9:4000", At: 3030 * ms},
			{ID: "gone", Backend: "idc/bj/blue-2", At: 40 * ms},
		},
		Writes: []history.Write{{Key: "/routes/1", Rev: 7, Call: 2400 * ms, Return: 2500 * ms, Outcome: history.OK, Object: []byte(`{}`)}},
		Faults: []history.FaultWindow{
			{ID: "f1", Name: "outage", Kind: "power-off", Text: "l7-1 loses power", Window: history.Window{From: 3010 * ms, To: 5000 * ms}, Targets: []topology.Ref{"bj/az1/l7-1"}},
			{ID: "f2", Text: "later", Window: history.Window{From: 6000 * ms}},
		},
		Spans: []history.Span{{Name: "cost", Window: history.Window{From: 3010 * ms, To: 4010 * ms}}},
		Events: []history.Event{
			{At: 3011 * ms, Kind: "fault", Text: "l7-1 loses power"},
			{At: 3012 * ms, Kind: "node", Node: "bj/az1/l7-1", Text: "without power"},
			{At: 3013 * ms, Kind: "process", Node: "bj/az2/l7-1", Text: "other"},
			{At: 1999 * ms, Kind: "step", Text: "too early"},
		},
	}
}

func texts(ms []Moment) []string {
	var out []string
	for _, m := range ms {
		out = append(out, m.Kind+" "+m.Text)
	}
	return out
}

func TestMomentsAreInOrderAndToldOnce(t *testing.T) {
	got := texts(Moments(outage()))
	want := []string{
		"step too early", "write /routes/1, revision 7, after 100ms", `fault f1 "outage": l7-1 loses power`, "begin cost", "node without power",
		"process other", "end cost, after 1s", `heal f1 "outage": l7-1 loses power`, "fault f2: later",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAWindowHasBothItsEnds(t *testing.T) {
	got := Within(Moments(outage()), 3012*ms, 4010*ms)
	if want := []string{"node without power", "process other", "end cost, after 1s"}; !slices.Equal(texts(got), want) {
		t.Errorf("got %q, want %q", texts(got), want)
	}
}

func TestANodeHasItsOwnMomentsAndThoseOfNobody(t *testing.T) {
	got := strings.Join(texts(On(Moments(outage()), "bj/az1/l7-1")), "; ")
	for text, want := range map[string]bool{"without power": true, "heal f1": true, "/routes/1": true, "begin cost": true, "other": false} {
		if strings.Contains(got, text) != want {
			t.Errorf("%q among the moments of bj/az1/l7-1: %v, want %v: %s", text, !want, want, got)
		}
	}
}

func TestAnOperationIsFoundByTheBeginningOfItsID(t *testing.T) {
	h := outage()
	for id, want := range map[string]string{"a1": "a1", "a12": "a12", "b2": "b2"} {
		if o, err := Find(h, id); err != nil || o.ID != want {
			t.Errorf("%q: got %q, %v, want %q", id, o.ID, err, want)
		}
	}
	h.Ops[0].ID = "c"
	if o, err := Find(h, "a"); err != nil || o.ID != "a12" {
		t.Errorf("the only one that begins with a: got %q, %v", o.ID, err)
	}
	_, err := Find(h, "b")
	var many *AmbiguousError
	if !errors.As(err, &many) || many.Count != 2 || !strings.Contains(err.Error(), "b1, b2") {
		t.Errorf("two begin with b: got %v", err)
	}
	for _, id := range []string{"x", ""} {
		var none *UnknownError
		if _, err := Find(h, id); !errors.As(err, &none) {
			t.Errorf("%q: got %v, want an *UnknownError", id, err)
		}
	}
	if _, err := Find(h, "gone"); err == nil || !strings.Contains(err.Error(), "arrived 1 times") {
		t.Errorf("an id that only a backend knows: got %v", err)
	}
}

func TestTheStoryHasEveryArrivalAndWhatWasBroken(t *testing.T) {
	h := outage()
	facts := check.Facts{
		Gateways: map[netip.Addr]topology.Ref{netip.MustParseAddr("10.101.4.3"): "bj/az1/l7-1"},
		Behind:   map[topology.Ref]topology.Ref{"idc/bj/blue-1": "bj/az1/router"},
	}
	s := Tell(h, facts, h.Ops[1])
	if len(s.Arrivals) != 2 || s.Arrivals[0].Gateway != "bj/az1/l7-1" || s.Arrivals[0].Behind != "bj/az1/router" || s.Arrivals[1].Gateway != "" {
		t.Errorf("arrivals: %+v", s.Arrivals)
	}
	if len(s.Faults) != 1 || s.Faults[0].ID != "f1" {
		t.Errorf("faults in force: %+v, want f1 alone", s.Faults)
	}
	around := strings.Join(texts(s.Around), "; ")
	if !strings.Contains(around, "/routes/1") || !strings.Contains(around, "end cost") || strings.Contains(around, "too early") || strings.Contains(around, "heal") {
		t.Errorf("around: %s", around)
	}
}

func TestAnOperationWithoutAnOutcomeIsCountedAsUnknown(t *testing.T) {
	got := Tallies(outage())
	if len(got) != 2 || got[0].Stream != "blog" || got[0].Fail != 1 || got[0].Info != 1 || got[1].OK != 1 || got[1].Info != 1 || got[1].Classes[history.ClassReset] != 1 {
		t.Errorf("got %+v", got)
	}
}
