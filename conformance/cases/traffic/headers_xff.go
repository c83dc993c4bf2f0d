package traffic

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that replaces X-Forwarded-For instead of appending, appends
// its own address, or believes what a client says about scheme and host.
var headersXFF = spec.Case{
	ID: "HDR-XFF", Level: spec.Must, Needs: []spec.Feature{spec.ProxyHeaders},
	Title: "The backend learns the client's address at the end of X-Forwarded-For, and scheme and host as the gateway saw them, not as the client claims.",
	Refs:  []string{"APISIX 3.18 request headers to the upstream"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{})
			for _, c := range []struct{ sent, before string }{{"", ""}, {"192.0.2.7", "192.0.2.7, "}, {"192.0.2.7, 192.0.2.8", "192.0.2.7, 192.0.2.8, "}} {
				req := traffic.Request{Host: t.Host(), Target: "/x?y=%20z", Header: []history.Field{
					{Name: "X-Forwarded-Proto", Value: "https"}, {Name: "X-Forwarded-Host", Value: "spoofed.example"}, {Name: "X-Real-IP", Value: "192.0.2.66"},
					{Name: "X-Custom", Value: "kept, as is"},
				}}
				if c.sent != "" {
					req = req.With("X-Forwarded-For", c.sent)
				}
				r := s.Do(ctx, req)
				a, client := ask.Seen(t, r), ask.ClientAddr(t, r)
				for name, want := range map[string]string{
					"X-Forwarded-For": c.before + client, "X-Real-IP": client, "X-Forwarded-Proto": "http", "X-Forwarded-Host": t.Host(),
					"Host": t.Host(), "X-Custom": "kept, as is",
				} {
					got := a.Values(name)
					t.Check(slices.Equal(got, []string{want}), "%s: %s: the backend saw %q, want %q", gw.Ref, name, got, want)
				}
				t.Check(a.Seen.Target == "/x?y=%20z", "%s: the backend saw target %q", gw.Ref, a.Seen.Target)
			}
		}
	},
}
