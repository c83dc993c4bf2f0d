package traffic

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that answers 502 although another target would have taken
// the request, also for methods that must not be repeated: nothing was sent. One
// that only ever asks the target which is well proves nothing: in the end the other
// one listens, and has to get requests.
var retryConnectRefused = spec.Case{
	ID: "RETRY-CONNECT-REFUSED", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamRetries},
	Title:    "When a target refuses the connection the request goes to another target, whatever its method, and arrives once.",
	Refs:     []string{"APISIX 3.18 upstream.retries, nginx proxy_next_upstream error"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		closed, err := t.Env().Closed(ctx)
		if err != nil {
			t.Brokenf("find a closed port: %v", err)
		}
		t.Put(ctx, "routes/"+t.Name("r"), fmt.Sprintf(`{"host":%q,"uri":"/*","upstream":{"type":"roundrobin","nodes":{%q:1,%q:1}}}`, t.Host(), closed, t.Backend(0).Addr))
		t.Put(ctx, "routes/"+t.Name("dead"), fmt.Sprintf(`{"host":%q,"uri":"/dead","upstream":{"type":"roundrobin","nodes":{%q:1}}}`, t.Host(), closed))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			before := t.Backend(0).Server.Requests()
			const n = 20
			for i := range n {
				method := []string{"GET", "POST"}[i%2]
				r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host(), Body: []byte("some body")[:9*(i%2)]})
				t.Check(r.Backend() == t.Backend(0).Ref, "%s: %s %d: got %s, want an answer of the other target (op %s)", gw.Ref, method, i, ask.Said(r), r.Op.ID)
			}
			if got := t.Backend(0).Server.Requests() - before; got != n {
				t.Check(false, "%s: %d requests arrived, %d were sent", gw.Ref, got, n)
			}
			r := s.Do(ctx, traffic.Request{Host: t.Host(), Target: "/dead"})
			t.Check(r.Reply != nil && r.Reply.Status == 502 && !r.Reply.FromBackend(), "%s: no target at all: got %s, want the gateway's 502", gw.Ref, ask.Said(r))
		}
		t.Step("the target that refused listens")
		revived := t.Start(ctx, spec.Want{N: 1, Port: closed.Port()})[0]
		if revived.Addr != closed {
			t.Brokenf("a backend on port %d got %s, want %s", closed.Port(), revived.Addr, closed)
		}
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			ask.Until(ctx, t, fmt.Sprintf("%s: the target that refused is one of those it asks", gw.Ref), 1, func() bool {
				return s.Do(ctx, traffic.Request{Host: t.Host()}).Backend() == revived.Ref
			})
		}
	},
}
