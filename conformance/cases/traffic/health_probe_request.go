package traffic

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that probes with a request of its own taste: a server that
// knows its sites by name answers the probe 404, and a target that is well is out.
var healthProbeRequest = spec.Case{
	ID: "HEALTH-PROBE-REQUEST", Level: spec.Must, Needs: []spec.Feature{spec.ActiveChecks},
	Title:    "A probe asks for the path, under the host, that the check says.",
	Refs:     []string{"APISIX 3.18 upstream.checks.active: http_path, host"},
	Backends: 1,
	Timeout:  healthTime(1),
	Run: func(ctx context.Context, t *spec.T) {
		probes := make(chan heard, 16)
		b := play(ctx, t, func(a *actor) {
			for q, ok := a.take(); ok; q, ok = a.take() {
				if strings.HasPrefix(q.Target, "/probe") && q.id == "" {
					select {
					case probes <- q:
					default: // there is enough to judge
					}
				}
				if !a.say(q.head("200 OK", "Content-Length: 0")) {
					return
				}
			}
		})
		routeChecked(ctx, t, t.ID(), t.Host(), checkedUpstream(b, t.Backend(0), "/probe?deep=1", 2, `, "host": "probe.example"`))
		t.Wait(ctx)
		s := one(t)
		ask.Until(ctx, t, "a probe arrives", 1, func() bool {
			s.Do(ctx, traffic.Request{Host: t.Host()}) // some gateways begin to probe with the first request
			return len(probes) > 0
		})
		q := <-probes
		host, _, _ := strings.Cut(q.Get("Host"), ":")
		t.Check(q.Method == "GET" && q.Target == "/probe?deep=1", "the probe was %s %s, want GET /probe?deep=1", q.Method, q.Target)
		t.Check(host == "probe.example", "the probe's Host was %q, want probe.example", q.Get("Host"))
	},
}
