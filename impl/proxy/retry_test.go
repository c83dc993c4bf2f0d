package proxy

import (
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/exchange/memory"
)

func TestRetryRules(t *testing.T) {
	connect := exchange.Failure{Kind: exchange.FailedConnect, Replayable: true}
	slow := exchange.Failure{Kind: exchange.TimedOutConnect, Replayable: true}
	reset := exchange.Failure{Kind: exchange.FailedRead, Sent: true, Replayable: true}
	long := exchange.Failure{Kind: exchange.FailedRead, Sent: true}
	for _, c := range []struct {
		name, method, extra string
		fail                exchange.Failure
		tries, status       int
		list                string
	}{
		{"connect failure is tried on another target", "POST", "", connect, 2, 502, "502, 502"},
		{"connect timeout as well, and ends as 504", "POST", "", slow, 2, 504, "504, 504"},
		{"GET that was sent is repeated", "GET", "", reset, 2, 502, "502, 502"},
		{"POST that was sent is not", "POST", "", reset, 1, 502, "502"},
		{"PATCH that was sent is not", "PATCH", "", reset, 1, 502, "502"},
		{"body that cannot be had again is not", "PUT", "", long, 1, 502, "502"},
		{"retries 0 is one try", "GET", `,"retries":0`, connect, 1, 502, "502"},
		{"retries beyond the targets end with nothing to pick", "GET", `,"retries":5`, slow, 2, 502, "504, 504"},
	} {
		g := newGateway(t)
		g.put("routes/1", `{"uri":"/*","upstream":`+twoNodes+c.extra+`}}`)
		g.Upstream = func(memory.Sent) memory.Reply { return memory.Reply{Failure: &c.fail} }
		r := get("/")
		r.Method = c.method
		a := g.Do(r)
		if len(a.Sent) != c.tries || a.Status != c.status || value(a.Fields, "X-APISIX-Upstream-Status") != c.list {
			t.Errorf("%s: %d tries, status %d, list %q; want %d, %d, %q", c.name, len(a.Sent), a.Status, value(a.Fields, "X-APISIX-Upstream-Status"), c.tries, c.status, c.list)
		}
		if len(a.Sent) == 2 && a.Sent[0].Name == a.Sent[1].Name {
			t.Errorf("%s: the same target twice", c.name)
		}
	}
}

func TestRetryTimeoutEndsTrying(t *testing.T) {
	g := newGateway(t)
	g.put("routes/1", `{"uri":"/*","upstream":`+twoNodes+`,"retry_timeout":1.5}}`)
	g.Upstream = func(memory.Sent) memory.Reply {
		g.now = g.now.Add(2 * time.Second)
		return memory.Reply{Failure: &exchange.Failure{Kind: exchange.TimedOutConnect, Replayable: true}}
	}
	if a := g.Do(get("/")); len(a.Sent) != 1 || a.Status != 502 {
		t.Errorf("%d tries, status %d; want 1, 502", len(a.Sent), a.Status)
	}
}

func TestClientThatIsGoneGetsNoAnswerAndNoRetry(t *testing.T) {
	g := newGateway(t)
	g.put("routes/1", `{"uri":"/*","upstream":`+twoNodes+`}}`)
	g.Upstream = func(memory.Sent) memory.Reply {
		return memory.Reply{Failure: &exchange.Failure{Kind: exchange.ClientGone, Replayable: true}}
	}
	if a := g.Do(get("/")); !a.Aborted || len(a.Sent) != 1 {
		t.Errorf("%+v", a)
	}
}

func TestRequestKeepsItsSnapshotThroughARetry(t *testing.T) {
	g := newGateway(t)
	g.put("routes/1", `{"uri":"/*","upstream":`+twoNodes+`}}`)
	first := true
	g.Upstream = func(s memory.Sent) memory.Reply {
		if first {
			first = false
			g.put("routes/1", "") // the route goes while the request is under way
			return memory.Reply{Failure: &exchange.Failure{Kind: exchange.FailedConnect, Replayable: true}}
		}
		return memory.Reply{Status: 200}
	}
	if a := g.Do(get("/")); a.Status != 200 || len(a.Sent) != 2 {
		t.Errorf("status %d after %d tries, want 200 after 2", a.Status, len(a.Sent))
	}
	if a := g.Do(get("/")); a.Status != 404 {
		t.Errorf("next request: %d, want 404", a.Status)
	}
}

// TestRequestOfAnOldSnapshotLeavesNothingBehind: the positions of an upstream
// that is gone must not come back with the retry of a request that still uses
// it, nor take the place of its successor's.
func TestRequestOfAnOldSnapshotLeavesNothingBehind(t *testing.T) {
	for name, next := range map[string]string{"deleted": "", "replaced": `{"uri":"/*","upstream":{"nodes":{"10.0.0.9:80":1,"10.0.0.8:80":1}}}`} {
		g := newGateway(t)
		g.put("routes/1", `{"uri":"/*","upstream":`+twoNodes+`}}`)
		first := true
		g.Upstream = func(memory.Sent) memory.Reply {
			if !first {
				return memory.Reply{Status: 200}
			}
			first = false
			g.put("routes/1", next)
			if next == "" {
				g.Use(g.snap, []string{"routes/1"})
			} else {
				g.Do(get("/")) // now the successor has its position
			}
			return memory.Reply{Failure: &exchange.Failure{Kind: exchange.FailedConnect, Replayable: true}}
		}
		if a := g.Do(get("/")); a.Status != 200 || len(a.Sent) != 2 || a.Sent[0].Name == a.Sent[1].Name {
			t.Errorf("%s: %+v, want 200 from the other target", name, a)
		}
		positions := g.lanes[0].positions
		if next == "" && len(positions) != 0 {
			t.Errorf("%s: %d positions are left", name, len(positions))
		}
		if next != "" && positions["routes/1"].up.Targets[0].Name != "10.0.0.9:80" {
			t.Errorf("%s: the position is that of the old upstream", name)
		}
	}
}
