package control

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway whose accounts move its balancer, or that guesses who is next.
var controlExplainNext = spec.Case{
	ID: "CONTROL-EXPLAIN-NEXT", Level: spec.Must, Needs: []spec.Feature{spec.ControlExplain, spec.UpstreamWeights},
	Title: "The account of a request names the target that serves the next one, however often it is asked for.",
	Refs:  []string{"docs/explain.md"},
	After: []string{"CONTROL-EXPLAIN"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 2, "{{index .Backends 1}}": 1, "{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		each(t, func(gw spec.Gateway) {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			q := url.Values{"url": {"http://" + t.Host() + "/"}, "local": {gw.Data.String()}}
			for i := range 8 {
				var next []string
				for range 1 + i%3 {
					next = firsts(answered(ctx, t, gw, "/v1/explain?"+q.Encode(), http.StatusOK, "").JSON())
				}
				r := s.Do(ctx, traffic.Request{Host: t.Host()})
				who := ""
				for n := range 3 {
					if b := t.Backend(n); b.Ref == r.Backend() {
						who = b.Addr.String()
					}
				}
				t.Check(who != "" && slices.Contains(next, who), "%s: request %d: answered by %s (%s), the account said %v", gw.Ref, i+1, who, ask.Said(r), next)
			}
		})
	},
}

// firsts are the targets that each loop of a gateway would try first.
func firsts(a map[string]any) (out []string) {
	loops, _ := in(a, "upstream", "next").([]any)
	for _, l := range loops {
		if order, _ := l.([]any); len(order) > 0 {
			if first, ok := order[0].(string); ok {
				out = append(out, first)
			}
		}
	}
	return out
}
