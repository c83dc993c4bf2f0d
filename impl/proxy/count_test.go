package proxy

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/exchange/memory"
	"github.com/unilb/unilb/impl/obs/meter"
)

// metered is a gateway that counts.
func metered(t *testing.T, most int) *gateway {
	g := newGateway(t)
	g.o.Meter = meter.New(2, most)
	g.counts.m = g.o.Meter
	return g
}

// counted is what a series has counted, in short; "" when there is none.
func (g *gateway) counted(route, node string) string {
	g.SweepCounts()
	s := g.counts.m.Find(meter.Key{Route: route, Node: node})
	if route == "" {
		s = g.counts.m.None()
	} else if s.Route != route {
		return ""
	}
	r := s.Read()
	out := fmt.Sprintf("n=%d retries=%d", r.Request.Count, r.Retries)
	for _, a := range r.Answers {
		out += fmt.Sprintf(" %d/%v=%d", a.Status, a.Upstream, a.Count)
	}
	for kind, n := range r.Failures {
		if n > 0 {
			out += fmt.Sprintf(" %s=%d", exchange.FailureKind(kind), n)
		}
	}
	return out
}

func (g *gateway) wantCounted(route, node, want string) {
	g.t.Helper()
	if got := g.counted(route, node); got != want {
		g.t.Errorf("route %q, node %q: counted %q, want %q", route, node, got, want)
	}
}

func TestRequestsAreCountedByRouteAndTheNodesThatWereTried(t *testing.T) {
	g := metered(t, 0)
	g.put("routes/1", `{"uri":"/*","upstream":`+twoNodes+`}}`)
	down := "10.0.0.1"
	g.Upstream = func(s memory.Sent) memory.Reply {
		if s.Name == down+":80" {
			return memory.Reply{Failure: &exchange.Failure{Kind: exchange.FailedConnect, Err: errors.New("refused")}}
		}
		return memory.Reply{Status: 201, Chunks: []string{"hello"}}
	}
	for range 4 {
		g.Do(get("/"))
	}
	if got := g.counts.m.Find(meter.Key{Route: "1", Node: "10.0.0.1"}).Read(); got.Failures[exchange.FailedConnect] == 0 || got.Request.Count != 0 {
		t.Errorf("node that is down: %+v", got)
	}
	r := g.counts.m.Find(meter.Key{Route: "1", Node: "10.0.0.2"}).Read()
	if r.Request.Count != 4 || r.Retries == 0 || r.Sent != 20 || r.Upstream.Count != 4 || r.Answers[0] != (meter.Answers{Status: 201, Upstream: true, Count: 4}) {
		t.Errorf("node that answers: %+v", r)
	}
	if down = "10.0.0.2"; g.Do(get("/")).Status != 201 {
		t.Error("other node does not answer")
	}
	g.Upstream = func(memory.Sent) memory.Reply {
		return memory.Reply{Failure: &exchange.Failure{Kind: exchange.TimedOutConnect}}
	}
	if a := g.Do(get("/")); a.Status != 504 {
		t.Errorf("answer %d, want 504", a.Status)
	}
	failed := g.counts.m.Find(meter.Key{Route: "1", Node: "10.0.0.1"}).Read().Failures[exchange.TimedOutConnect] +
		g.counts.m.Find(meter.Key{Route: "1", Node: "10.0.0.2"}).Read().Failures[exchange.TimedOutConnect]
	if failed != 2 {
		t.Errorf("%d timeouts counted, want one for each node", failed)
	}
	if n := g.counts.m.Requests(); n != 6 {
		t.Errorf("%d requests, want 6", n)
	}
}

func TestRequestsWithoutRouteOrTargetAreCountedToo(t *testing.T) {
	g := metered(t, 0)
	g.put("routes/1", `{"uri":"/a","upstream_id":"gone"}`)
	g.Do(get("/b"))
	g.Do(get("/a"))
	g.wantCounted("", "", "n=1 retries=0 404/false=1")
	g.wantCounted("1", "", "n=1 retries=0 502/false=1")
}

func TestTimeUntilATargetHasAnsweredOrTheLastHasFailedIsTheUpstreams(t *testing.T) {
	g := metered(t, 0)
	g.put("routes/1", `{"uri":"/*","upstream":`+twoNodes+`}}`)
	waited := func() (d time.Duration) {
		for _, s := range g.counts.m.All() {
			d += s.Read().Upstream.Sum
		}
		return d
	}
	tries, good := 0, 2
	g.Upstream = func(memory.Sent) memory.Reply {
		if tries++; tries != good {
			g.now = g.now.Add(time.Second)
			return memory.Reply{Failure: &exchange.Failure{Kind: exchange.TimedOutConnect}}
		}
		g.now = g.now.Add(15 * time.Millisecond)
		return memory.Reply{Status: 200}
	}
	g.Do(get("/"))
	if got, want := waited(), 1015*time.Millisecond; got != want {
		t.Errorf("one failed try and an answer: %v, want %v", got, want)
	}
	tries, good = 0, 3
	g.Do(get("/"))
	if got, want := waited(), 3015*time.Millisecond; got != want {
		t.Errorf("and two failed tries: %v, want %v", got, want)
	}
}

func TestSeriesLeaveWithTheirRouteAndTheirNode(t *testing.T) {
	g := metered(t, 0)
	const one = `{"nodes":{"10.0.0.1:80":1}}`
	g.put("upstreams/u", one, "routes/1", `{"uri":"/1","upstream_id":"u"}`, "routes/2", `{"uri":"/2","upstream_id":"u"}`)
	g.Do(get("/1"))
	g.Do(get("/2"))
	g.put("routes/1", `{"uri":"/1","upstream_id":"u","priority":7}`) // counts go on over an edit
	g.Do(get("/1"))
	g.wantCounted("1", "10.0.0.1", "n=2 retries=0 200/true=2")
	g.put("upstreams/u", `{"nodes":{"10.0.0.2:80":1}}`)
	g.Do(get("/1"))
	g.wantCounted("1", "10.0.0.1", "")
	g.wantCounted("1", "10.0.0.2", "n=1 retries=0 200/true=1")
	g.put("upstreams/u", one) // and comes back
	g.Do(get("/1"))
	g.wantCounted("1", "10.0.0.1", "n=1 retries=0 200/true=1")
	g.put("routes/1", "", "routes/2", "")
	g.wantCounted("1", "10.0.0.1", "")
	g.wantCounted("2", "10.0.0.1", "")
	if n := g.counts.m.Requests(); n != 5 {
		t.Errorf("%d requests, want 5", n)
	}
}

func TestSeriesThatWasDroppedComesBackWithWhatItNeeds(t *testing.T) {
	g := metered(t, 0)
	g.put("upstreams/u", `{"nodes":{"10.0.0.1:80":1}}`, "services/s", `{"upstream_id":"u"}`, "routes/1", `{"uri":"/1","service_id":"s"}`)
	g.Do(get("/1"))
	g.put("services/s", "")
	g.wantCounted("1", "10.0.0.1", "") // the route has no node now
	g.put("services/s", `{"upstream_id":"u"}`)
	g.Do(get("/1"))
	g.wantCounted("1", "10.0.0.1", "n=1 retries=0 200/true=1")
}

func TestRoutesBeyondTheBoundAreCountedTogetherUntilThereIsRoom(t *testing.T) {
	g := metered(t, 2)
	for i := range 4 {
		g.put(fmt.Sprintf("routes/%d", i), fmt.Sprintf(`{"uri":"/%d","upstream":%s}}`, i, twoNodes[:len(twoNodes)-len(`,{"host":"10.0.0.2","port":80,"weight":1}]`)]+"]"))
		g.Do(get(fmt.Sprintf("/%d", i)))
	}
	g.wantCounted(meter.Other, "", "n=2 retries=0 200/true=2")
	g.put("routes/0", "", "routes/1", "")
	g.SweepCounts()
	g.Do(get("/3"))
	g.wantCounted("3", "10.0.0.1", "n=1 retries=0 200/true=1")
}

// counting is a request whose head and answer have been handled.
func counting(t testing.TB) (*Pipeline, *exchange.Exchange, *flow, exchange.Record) {
	g := newGateway(&testing.T{})
	g.o.Meter = meter.New(2, 0)
	g.counts.m = g.o.Meter
	g.put("routes/1", `{"uri":"/*","upstream":`+twoNodes+`}}`)
	x := &exchange.Exchange{}
	x.Reset(1, nil)
	x.Request = exchange.Request{Method: "GET", Host: "shop.example", Path: "/", Remote: client, Local: local, Stable: true}
	if v := g.OnRequest(x); v != exchange.Forward {
		t.Fatalf("verdict %v", v)
	}
	x.Response.Status = 200
	g.OnResponse(x)
	return g.Pipeline, x, flowOf(x), exchange.Record{Status: 200, Sent: 128, Duration: 400 * time.Microsecond}
}

func TestCountingARequestAllocatesNothing(t *testing.T) {
	p, x, f, rec := counting(t)
	if n := testing.AllocsPerRun(1000, func() { p.count(x, f, rec) }); n != 0 {
		t.Errorf("counting allocates %v times", n)
	}
}

// BenchmarkCount is what metrics cost a request: the time of its answer, finding its
// series, and counting.
func BenchmarkCount(b *testing.B) {
	p, x, f, rec := counting(b)
	f.begin = time.Now()
	f.since = f.begin
	b.ReportAllocs()
	for b.Loop() {
		f.heard, f.answered = time.Now(), true
		p.count(x, f, rec)
	}
}

func TestRequestThatOutlivesItsRouteIsCountedAndLeavesNothingBehind(t *testing.T) {
	g := metered(t, 0)
	g.put("routes/1", `{"uri":"/*","upstream":`+twoNodes+`}}`)
	x := &exchange.Exchange{}
	x.Reset(0, nil)
	x.Request = exchange.Request{Method: "GET", Host: "shop.example", Path: "/", Remote: client, Local: local, Stable: true}
	if v := g.OnRequest(x); v != exchange.Forward {
		t.Fatalf("verdict %v", v)
	}
	g.put("routes/1", "")
	g.OnDone(x, exchange.Record{Status: 200})
	if n, series := g.counts.m.Requests(), len(g.counts.m.All()); n != 1 || series != 2 {
		t.Errorf("%d requests, %d series; want 1 and the two that always are", n, series)
	}
}
