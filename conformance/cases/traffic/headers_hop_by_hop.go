package traffic

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that copies headers blindly: what belongs to one connection
// leaks onto the next one, in either direction, and an attacker can have the
// gateway drop a header of his choice or upgrade a shared connection.
var headersHopByHop = spec.Case{
	ID: "HDR-HOP-BY-HOP", Level: spec.Must, Needs: []spec.Feature{spec.ProxyHeaders},
	Title: "Headers that belong to one connection, and those that Connection names, are not passed on, neither to the backend nor to the client.",
	Refs:  []string{"RFC 9110 7.6.1", "APISIX 3.18 request headers to the upstream"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		gw := t.Env().Gateways()[0]
		s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
		r := s.Do(ctx, traffic.Request{Host: t.Host(), Header: []history.Field{
			{Name: "Connection", Value: "X-Private, TE, keep-alive"}, {Name: "X-Private", Value: "1"}, {Name: "Keep-Alive", Value: "timeout=5"},
			{Name: "Proxy-Connection", Value: "keep-alive"}, {Name: "TE", Value: "deflate;q=0.5"}, {Name: "X-Public", Value: "1"},
			{Name: echo.HeaderAdd, Value: "Connection: X-Inner"}, {Name: echo.HeaderAdd, Value: "X-Inner: 1"},
			{Name: echo.HeaderAdd, Value: "Keep-Alive: timeout=7"}, {Name: echo.HeaderAdd, Value: "X-Outer: 1"},
		}})
		a := ask.Seen(t, r)
		for _, name := range []string{"X-Private", "Keep-Alive", "Proxy-Connection", "TE"} {
			t.Check(len(a.Values(name)) == 0, "the backend saw %s: %q", name, a.Values(name))
		}
		for _, v := range a.Values("Connection") {
			t.Check(!strings.Contains(strings.ToLower(v), "x-private"), "the backend saw Connection: %q", v)
		}
		t.Check(len(a.Values("X-Public")) == 1, "the backend did not see X-Public: %q", a.Values("X-Public"))
		for _, name := range []string{"X-Inner", "Keep-Alive"} {
			t.Check(r.Reply.Header.Get(name) == "", "the client saw the backend's %s: %q", name, r.Reply.Header.Get(name))
		}
		t.Check(r.Reply.Header.Get("X-Outer") == "1", "the client did not see X-Outer")

		t.Step("an upgrade that no route allows")
		r = s.Do(ctx, traffic.Request{Host: t.Host(), Header: []history.Field{{Name: "Connection", Value: "Upgrade"}, {Name: "Upgrade", Value: "websocket"},
			{Name: "Sec-WebSocket-Version", Value: "13"}, {Name: "Sec-WebSocket-Key", Value: "dGhlIHNhbXBsZSBub25jZQ=="}}})
		a = ask.Seen(t, r)
		t.Check(len(a.Values("Upgrade")) == 0, "the backend saw Upgrade: %q on a route without enable_websocket", a.Values("Upgrade"))
	},
}
