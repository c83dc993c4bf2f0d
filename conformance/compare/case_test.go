package compare

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// exchange is one request with what became of it, in the history of a run.
type exchange struct {
	target  string
	status  int // 0: no answer
	class   history.ErrClass
	backend topology.Ref // "": the gateway answers
	answer  []history.Field
	seen    []history.Field // header lines at the backend
	body    string          // of the answer, as it came; of a backend's: what it sent when empty
	reused  int
	times   int // that it arrived at the backend; 1 when 0 and a backend answers
}

// run makes what a run of a case showed, by way of a history.
func run(state spec.State, round int, es ...exchange) Seen {
	own := Own{Round: round, ID: fmt.Sprintf("x-case-n%d", round), Port: uint16(20_000 + 16*round)}
	h := &history.History{}
	for i, e := range es {
		op := history.Op{
			ID: fmt.Sprintf("%s-ask-%d", own.ID, i), Stream: own.ID + "-ask", Client: "client/inet-1", Kind: "http", To: "10.1.1.1:80", Conn: uint64(round*100 + i + 1), Reused: e.reused,
			Request: history.Request{Method: "GET", Host: own.ID + ".example", Target: e.target}, Class: e.class,
		}
		sum := fmt.Sprintf("sum-%d-%d", round, i) // backends tell what they saw: never the same twice
		if e.status != 0 {
			op.Response = &history.Response{Status: e.status, Backend: e.backend, Header: e.answer, BodyLen: 10, BodySum: e.body}
			if e.body == "" {
				op.Response.BodySum = sum
			}
		}
		h.Ops = append(h.Ops, op)
		times := e.times
		if times == 0 && e.backend != "" {
			times = 1
		}
		for range times {
			h.Arrivals = append(h.Arrivals, history.Arrival{
				ID: op.ID, Backend: e.backend, Seen: history.Request{Method: "GET", Target: e.target, Proto: "HTTP/1.1", Header: e.seen}, Answer: &history.Answer{Status: e.status, BodyLen: 10, BodySum: sum},
			})
		}
	}
	// Another case, and the request of nobody, have nothing to do with it.
	h.Ops = append(h.Ops, history.Op{ID: "other-1", Stream: "x-case-n77-ask", Request: history.Request{Target: "/other"}})
	return Observe(h, own, spec.Result{Case: "X-CASE", State: state, Says: []string{"it says " + string(state)}})
}

// twice is the same in two rounds.
func twice(es ...exchange) []Seen {
	return []Seen{run(spec.Pass, 0, es...), run(spec.Pass, 1, es...)}
}

func line(n, v string) []history.Field { return []history.Field{{Name: n, Value: v}} }

func TestEveryMeaningOfADifferenceIsFound(t *testing.T) {
	plainOne := exchange{target: "/", status: 200, backend: "idc/bj/blue-1", answer: line("Server", "gw"), seen: line("X-Forwarded-For", "198.18.0.3")}
	with := func(change func(*exchange)) exchange {
		e := plainOne
		change(&e)
		return e
	}
	for name, c := range map[string]struct {
		head exchange
		want []string
	}{
		"nothing": {plainOne, nil},
		"status":  {with(func(e *exchange) { e.status = 500 }), []string{"status: status: 200 of a backend -> 500 of a backend"}},
		"status of the gateway": {exchange{target: "/", status: 404, answer: line("Server", "gw"), body: "none"}, []string{
			"routing: answered by: idc/bj/blue-1 -> the gateway itself", "status: status: 200 of a backend -> 404 of the gateway",
		}},
		"header of the answer":  {with(func(e *exchange) { e.answer = line("server", "other") }), []string{"header: header of the answer: server: gw -> other"}},
		"header that is gone":   {with(func(e *exchange) { e.answer = line("Via", "x") }), []string{"header: header of the answer: server: gw -> (absent)", "header: header of the answer: via: (absent) -> x"}},
		"header at the backend": {with(func(e *exchange) { e.seen = line("X-Forwarded-For", "10.1.1.1") }), []string{"header: header at the backend: x-forwarded-for: 198.18.0.3 -> 10.1.1.1"}},
		"body":                  {with(func(e *exchange) { e.body = "damaged" }), []string{"body: body of the answer: as the backend sent it -> not what a backend sent"}},
		"routing":               {with(func(e *exchange) { e.backend = "idc/bj/blue-2" }), []string{"routing: answered by: idc/bj/blue-1 -> idc/bj/blue-2"}},
		"arrived twice":         {with(func(e *exchange) { e.times = 2 }), []string{"routing: arrivals: 1 -> 2"}},
		"reset":                 {with(func(e *exchange) { e.status, e.class = 0, history.ClassReset }), []string{"connection: connection: an answer -> reset"}},
		"reuse":                 {with(func(e *exchange) { e.reused = 1 }), []string{"connection: reuse: a new connection -> an old connection"}},
	} {
		var got []string
		for _, d := range Case(twice(plainOne), twice(c.head)) {
			if d.Kind != Changed || !slices.Equal(d.Cases, []string{"X-CASE"}) {
				t.Errorf("%s: got %+v", name, d)
			}
			got = append(got, fmt.Sprintf("%s: %s", d.Meaning, d.Text()))
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestRequestsOfOtherCasesAreNotSeen(t *testing.T) {
	if got := run(spec.Pass, 0, exchange{target: "/", status: 200}); len(got.Groups) != 1 || got.Groups[0].N != 1 {
		t.Errorf("got %+v, want one request", got.Groups)
	}
}

func TestWhatABuildShowsAgainstItselfIsNoDifference(t *testing.T) {
	a := exchange{target: "/", status: 200, backend: "idc/bj/blue-1", answer: line("X-Trace", "1"), seen: line("X-Id", "a")}
	b := exchange{target: "/", status: 200, backend: "idc/bj/blue-2", answer: line("X-Trace", "2"), seen: line("X-Id", "b")}
	c := exchange{target: "/", status: 503, answer: line("X-Trace", "3")}
	for name, x := range map[string]struct{ base, head []Seen }{
		"base shows both":      {[]Seen{run(spec.Pass, 0, a), run(spec.Pass, 1, b)}, twice(b)},
		"head shows it once":   {twice(a), []Seen{run(spec.Pass, 0, a), run(spec.Pass, 1, c)}},
		"each time another":    {[]Seen{run(spec.Pass, 0, a), run(spec.Pass, 1, b)}, []Seen{run(spec.Pass, 0, b), run(spec.Pass, 1, a)}},
		"asked once only":      {twice(a), []Seen{run(spec.Pass, 0, c), run(spec.Pass, 1)}},
		"one run says nothing": {twice(a), []Seen{run(spec.Pass, 0, c)}},
		"polled more often":    {twice(c, a), twice(c, c, c, a, a)},
	} {
		if got := Case(x.base, x.head); len(got) > 0 {
			t.Errorf("%s: got %+v, want no difference", name, got)
		}
	}
}

// TestWhoseTurnItIsIsNoDifference has a balancer that begins with another target in
// each process: all runs of one side agree.
func TestWhoseTurnItIsIsNoDifference(t *testing.T) {
	a := exchange{target: "/first", status: 200, backend: "idc/bj/blue-1"}
	b := exchange{target: "/second", status: 200, backend: "idc/bj/blue-2"}
	x, y := a, b
	x.backend, y.backend = b.backend, a.backend
	if got := Case(twice(a, b), twice(x, y)); len(got) > 0 {
		t.Errorf("got %+v, want no difference: both targets answered on both sides", got)
	}
	if got := Case(twice(a, b), twice(x, b)); len(got) != 1 || got[0].Meaning != Routing {
		t.Errorf("got %+v, want a difference: the first target answered nothing any more", got)
	}
	none := exchange{target: "/second", status: 404}
	if got := Case(twice(a, none), twice(exchange{target: "/first", status: 404}, b)); len(got) == 0 {
		t.Error("got no difference, want those of what the gateway itself answered")
	}
}

func TestNamesAndPortsOfARunAreNoDifference(t *testing.T) {
	at := func(round int) exchange {
		id, port := fmt.Sprintf("x-case-n%d", round), 20_000+16*round
		return exchange{
			target: "/" + id, status: 200, backend: topology.Ref(fmt.Sprintf("idc/bj/blue-1-p%d", port+3)),
			answer: line("X-To", fmt.Sprintf("10.20.1.1:%d", port+3)), seen: line("Host", id+".example"),
		}
	}
	base, head := []Seen{run(spec.Pass, 0, at(0)), run(spec.Pass, 1, at(1))}, []Seen{run(spec.Pass, 2, at(2)), run(spec.Pass, 3, at(3))}
	if got := Case(base, head); len(got) > 0 {
		t.Errorf("got %+v, want no difference", got)
	}
	other := at(3)
	other.backend = "idc/bj/blue-1-p20049" // the second of its ports, not the fourth
	head[1] = run(spec.Pass, 3, other)
	other = at(2)
	other.backend = "idc/bj/blue-1-p20033"
	head[0] = run(spec.Pass, 2, other)
	if got := Case(base, head); len(got) != 1 || got[0].Text() != "answered by: idc/bj/blue-1-p+3 -> idc/bj/blue-1-p+1" {
		t.Errorf("got %+v, want another backend", got)
	}
}

func TestOutcomesAreTold(t *testing.T) {
	runs := func(states ...spec.State) (out []Seen) {
		for i, s := range states {
			out = append(out, run(s, i))
		}
		return out
	}
	for _, c := range []struct {
		base, head []Seen
		want       Kind
	}{
		{runs(spec.Pass, spec.Pass), runs(spec.Pass, spec.Pass), ""},
		{runs(spec.Fail, spec.Fail), runs(spec.Fail, spec.Fail), ""},
		{runs(spec.Unsupported), runs(spec.Skip), ""},
		{runs(spec.Pass, spec.Pass), runs(spec.Fail, spec.Fail), Regressed},
		{runs(spec.Pass), runs(spec.Warn), Regressed},
		{runs(spec.Skip), runs(spec.Fail), Regressed},
		{runs(spec.Fail), runs(spec.Pass), Fixed},
		{runs(spec.Pass), runs(spec.Skip), Lost},
		{runs(spec.Pass), runs(spec.Unsupported), Lost},
		{runs(spec.Pass), runs(spec.Unproven), Lost},
		{runs(spec.Unsupported), runs(spec.Pass), Gained},
		{runs(spec.Pass, spec.Pass), runs(spec.Pass, spec.Fail), Unsteady},
		{runs(spec.Fail, spec.Pass), runs(spec.Pass, spec.Pass), Unsteady},
		{runs(spec.Fail), runs(spec.Broken), Unsteady},
	} {
		got := Kind("")
		ds := Case(c.base, c.head)
		if len(ds) > 0 {
			got = ds[0].Kind
		}
		if got != c.want || len(ds) > 1 {
			t.Errorf("%s and %s: got %q (%+v), want %q", tally(c.base), tally(c.head), got, ds, c.want)
		}
		if got == Regressed && len(ds[0].Says) == 0 {
			t.Errorf("%s and %s: it does not say why", tally(c.base), tally(c.head))
		}
	}
}

func TestSharesOfBackendsAreComparedWhereTheyAreSteady(t *testing.T) {
	spread := func(round, one, other int) Seen {
		var es []exchange
		for range one {
			es = append(es, exchange{target: "/", status: 200, backend: "idc/bj/blue-1"})
		}
		for range other {
			es = append(es, exchange{target: "/", status: 200, backend: "idc/bj/blue-2"})
		}
		return run(spec.Pass, round, es...)
	}
	for name, c := range map[string]struct {
		base, head []Seen
		want       string
	}{
		"other weights":   {[]Seen{spread(0, 80, 20), spread(1, 79, 21)}, []Seen{spread(0, 50, 50), spread(1, 48, 52)}, "answered by: idc/bj/blue-1 80 %, idc/bj/blue-2 20 % -> idc/bj/blue-1 49 %, idc/bj/blue-2 51 %"},
		"chance":          {[]Seen{spread(0, 80, 20), spread(1, 79, 21)}, []Seen{spread(0, 75, 25), spread(1, 82, 18)}, ""},
		"depends on time": {[]Seen{spread(0, 90, 10), spread(1, 60, 40)}, []Seen{spread(0, 20, 80), spread(1, 10, 90)}, ""},
		"too few":         {[]Seen{spread(0, 8, 2), spread(1, 8, 2)}, []Seen{spread(0, 2, 8), spread(1, 2, 8)}, ""},
	} {
		got := ""
		for _, d := range Case(c.base, c.head) {
			got += d.Text()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
