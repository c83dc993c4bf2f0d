package traffic

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that closes its client's connection after an error or after an
// answer without a body: every failed request costs the next one a handshake.
var keepClient = spec.Case{
	ID: "KEEP-CLIENT", Level: spec.Should, Needs: []spec.Feature{spec.ProxyKeepalive},
	Title:    "A client's connection carries the next request after answers of any status and method, of backends and of the gateway itself.",
	Refs:     []string{"RFC 9112 9.3"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		t.Put(ctx, "routes/"+t.Name("well"), fmt.Sprintf(`{"host": %q, "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {%q: 1}}}`, t.Host(), t.Backend(0).Addr))
		t.Put(ctx, "routes/"+t.Name("dead"), fmt.Sprintf(`{"host": %q, "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {%q: 1}}}`, "dead."+t.Host(), closed(ctx, t)))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			carried := 0
			send := func(what string, r traffic.Request) {
				got := s.Do(ctx, r)
				if got.Reply == nil {
					t.Fatalf("%s: %s: %v (op %s)", gw.Ref, what, got.Err, got.Op.ID)
				}
				t.Check(got.Op.Reused == carried && !got.Reply.Close, "%s: %s: the connection had carried %d requests, want %d, and says close: %t (op %s)", gw.Ref, what, got.Op.Reused, carried, got.Reply.Close, got.Op.ID)
				carried = got.Op.Reused + 1
			}
			for _, status := range []string{"200", "204", "304", "301", "401", "404", "500", "503"} {
				for _, method := range []string{"GET", "HEAD", "POST"} {
					send(method+" with "+status, traffic.Request{Method: method, Host: t.Host(), Chunked: method == "POST"}.With(echo.HeaderStatus, status))
				}
			}
			send("no route", traffic.Request{Host: "none." + t.Host()})
			send("no target", traffic.Request{Host: "dead." + t.Host()})
			send("after all", traffic.Request{Method: http.MethodGet, Host: t.Host()})
		}
	},
}
