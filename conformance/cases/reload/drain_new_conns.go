package reload

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

const (
	// hangBound is how long a connection may take to be served or refused.
	hangBound = 3 * time.Second
	// cutsAtTheDoor is how many connections may be accepted by the kernel, and cut
	// when the listener closes: those that wait to be accepted at that moment.
	cutsAtTheDoor = 2
)

// Catches a gateway that goes on accepting connections while it drains and then
// leaves them hanging, or cuts them with the request unanswered.
var drainNewConns = spec.Case{
	ID: "DRAIN-NEW-CONNS", Level: spec.Must, Needs: []spec.Feature{spec.GatewayDrain}, Env: []spec.Capability{spec.Control},
	Title:    "While a gateway drains a new connection is served or refused at once; none is left without an answer.",
	Refs:     []string{"nginx control: QUIT closes the listening sockets, which APISIX 3.18 stops by"},
	After:    []string{"DRAIN-IN-FLIGHT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		g := ask.NewGate(ctx, t)
		t.Put(ctx, "routes/"+t.Name("slow"), fmt.Sprintf(`{"host":%q,"uri":"/slow","upstream":%s}`, t.Host(), upstreamOf(g.Backend)))
		t.Put(ctx, "routes/"+t.Name("fast"), fmt.Sprintf(`{"host":%q,"uri":"/fast","upstream":%s}`, t.Host(), upstreamOf(t.Backend(0))))
		t.Wait(ctx)
		gw := drained(t)
		hs := ask.Hold(ctx, t, g, traffic.Request{Host: t.Host(), Target: "/fast"}, traffic.Request{Host: t.Host(), Target: "/slow"}, gw)
		d := drain(ctx, t, gw, g.Open) // the held request makes it last
		defer d.restart(t)
		s := ask.Session(t, gw.Data, traffic.Options{Timeout: hangBound})
		served, refused, cut := 0, 0, 0
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for begun := time.Now(); refused < 10 && time.Since(begun) < doorBound && ctx.Err() == nil; <-tick.C {
			r := s.Do(ctx, traffic.Request{Host: t.Host(), Target: "/fast"})
			switch {
			case r.Op.Class == history.ClassRefused:
				refused++
			case r.Backend() == t.Backend(0).Ref && r.Reply.Status == http.StatusOK:
				served++
				t.Check(refused == 0, "%s: a connection is served after others were refused (op %s)", gw.Ref, r.Op.ID)
			case r.Reply != nil && r.Reply.Status == http.StatusServiceUnavailable && !r.Reply.FromBackend():
				refused++ // cleanly
			case r.Op.Class == history.ClassReset, r.Op.Class == history.ClassEOF:
				cut++
			default:
				t.Check(false, "%s: a new connection while it drains: got %s, want it served or refused (op %s)", gw.Ref, ask.Said(r), r.Op.ID)
			}
		}
		t.Logf("%s: %d served, %d refused, %d cut", gw.Ref, served, refused, cut)
		t.Check(cut <= cutsAtTheDoor, "%s: %d new connections were accepted and cut without an answer, want at most %d", gw.Ref, cut, cutsAtTheDoor)
		g.Finish(ctx, t, hs, "while the gateway drains")
		d.finish(t)
	},
}
