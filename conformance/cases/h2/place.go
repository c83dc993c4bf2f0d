package h2

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

// Paths of requests.
const (
	attacked = "/attack" // the request that is judged
	after    = "/after"  // on the same connection, when that was answered
	fence    = "/fence"  // on another
)

// place publishes the case's host, with a certificate and a route of all paths to the
// backend that the case plays.
func place(ctx context.Context, t *spec.T, s raw.Script) *raw.Backend {
	b := raw.Play(t, 0, s)
	framed.Certify(ctx, t)
	t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host":%q,"uri":"/*","upstream":{"type":"roundrobin","nodes":{%q:1}}}`, t.Host(), t.Played(0).Backend.Addr))
	t.Wait(ctx)
	return b
}

// gateway is the one that is asked.
func gateway(t *spec.T) spec.Gateway { return t.Env().Gateways()[0] }

// dial connects to it.
func dial(ctx context.Context, t *spec.T, o framed.Options) *framed.Conn {
	return framed.Dial(ctx, t, gateway(t).TLS, t.Host(), o)
}

// get is the head of a GET for the case's host.
func get(t *spec.T, path string, more ...history.Field) []history.Field {
	return framed.Head("GET", t.Host(), path, more...)
}

// post is that of a POST.
func post(t *spec.T, path string, more ...history.Field) []history.Field {
	return framed.Head("POST", t.Host(), path, more...)
}

// own checks that a request was answered by the backend with its path, as raw.Backend
// echoes.
func own(t *spec.T, r framed.Result, path, why string) bool {
	return t.Check(r.Served() && string(r.Body) == path, "%s: %s: GET %s: got %s, want its own answer (op %s)", gateway(t).Ref, why, path, r, r.Op.ID)
}

// correct checks that the gateway has done nothing over the connection that must not be.
func correct(t *spec.T, c *framed.Conn) {
	err := c.Wrong()
	t.Check(err == nil, "%s: %v", gateway(t).Ref, err)
}

// fences shows that the gateway lives on, and that no connection to the backend is out
// of step: another client gets its own answer.
func fences(ctx context.Context, t *spec.T, why string) {
	c := dial(ctx, t, framed.Options{})
	own(t, c.Send(get(t, fence), true).Answer(ctx), fence, why+": another client")
	_ = c.Close() // nothing is expected of it any more
}
