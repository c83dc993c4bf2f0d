package traffic

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// hostCase is a case about the Host that a backend is told, with more members of
// the upstream. want says what it is for a Host that the client sends.
func hostCase(c spec.Case, members string, want func(t *spec.T, sent string) string) spec.Case {
	c.Level, c.Backends = spec.Must, 1
	c.Objects = `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}` + members + `}}
`
	c.Run = func(ctx context.Context, t *spec.T) {
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			for _, host := range []string{t.Host(), t.Host() + ":8443"} {
				r := s.Do(ctx, traffic.Request{Host: host, Header: []history.Field{{Name: "X-Forwarded-Host", Value: "spoofed.example"}}})
				got, want := ask.Seen(t, r).Values("Host"), want(t, host)
				t.Check(slices.Equal(got, []string{want}), "%s: Host %s: the backend saw %q, want %q (op %s)", gw.Ref, host, got, want, r.Op.ID)
			}
		}
	}
	return c
}
