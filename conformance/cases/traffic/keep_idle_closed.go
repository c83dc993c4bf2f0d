package traffic

import (
	"context"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// noticeBound is how long the end of an idle connection may take to be noticed
// before the next request comes: much longer than a packet needs.
const noticeBound = 500 * time.Millisecond

// Catches a gateway that trusts a kept connection without looking: each time that a
// backend ends its idle ones (and all do, after some seconds) a request is lost.
var keepIdleClosed = spec.Case{
	ID: "KEEP-IDLE-CLOSED", Level: spec.Must, Needs: []spec.Feature{spec.ProxyKeepalive},
	Title: "A backend that has ended a kept connection while it was idle costs no request, neither GET nor POST.",
	Refs:  []string{"RFC 9112 9.5", "APISIX 3.18 upstream.keepalive_pool"},
	Run: func(ctx context.Context, t *spec.T) {
		idle := make(chan struct{}, 1) // the gateway has ended its side, or had the time to
		b := play(ctx, t, func(a *actor) {
			q, ok := a.take()
			if !ok || !a.say(q.head("200 OK", "Content-Length: 4")+"done") {
				return
			}
			if c, ok := a.Conn.(interface{ CloseWrite() error }); ok {
				_ = c.CloseWrite() // fails only when it has ended already
			}
			_ = a.SetReadDeadline(time.Now().Add(noticeBound)) // likewise
			_, _ = a.r.Head()
			select {
			case idle <- struct{}{}:
			default: // a gateway that asked twice
			}
		})
		routeTo(ctx, t, `"retries": 0`, b.Addr)
		s := one(t)
		for i := range 8 {
			method := []string{http.MethodGet, http.MethodPost}[i%2]
			r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host(), Body: []byte("some body")[:9*(i%2)]})
			t.Check(r.Backend() == b.Ref && r.Reply.Status == http.StatusOK, "%s %d: got %s, want 200 from the backend, on a new connection (op %s)", method, i, ask.Said(r), r.Op.ID)
			select {
			case <-idle:
			case <-time.After(2 * noticeBound): // it was never asked
			}
		}
	},
}
