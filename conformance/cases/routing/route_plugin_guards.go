package routing

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that serves a route without what guards it, because it cannot
// run the plugin or does not look at those of the service.
var routePluginGuards = spec.Case{
	ID: "ROUTE-PLUGIN-GUARDS", Level: spec.Must, Needs: []spec.Feature{spec.RoutePlugins},
	Title: "Where a plugin of the route or of its service asks for credentials or for another address, nobody without them reaches a target: the plugin answers 401 or 403, or, when the gateway cannot run it, 503 and its name in JSON.",
	Refs:  []string{"APISIX 3.18 plugins key-auth, basic-auth, ip-restriction", "docs/plugins.md, in the gateway"},
	After: []string{"ROUTE-EXACT"},
	Objects: `
-- services/{{.ID}} --
{"plugins": {"basic-auth": {}}}
-- routes/{{.ID}}-open --
{"host": "{{.Host}}", "uri": "/open", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-own --
{"host": "{{.Host}}", "uri": "/own", "plugins": {"key-auth": {}}, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-address --
{"host": "{{.Host}}", "uri": "/address", "plugins": {"ip-restriction": {"whitelist": ["192.0.2.1"]}}, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-inherited --
{"host": "{{.Host}}", "uri": "/inherited", "service_id": "{{.ID}}", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-beside --
{"host": "{{.Host}}", "uri": "/beside", "service_id": "{{.ID}}", "plugins": {"request-id": {}}, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-other --
{"host": "{{.Host}}", "uri": "/other", "service_id": "{{.ID}}", "plugins": {"key-auth": {"_meta": {"disable": true}}}, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t, ask.Expect{Host: h, Target: "/open", Want: 0, Why: "no plugin"})
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{})
			for _, c := range []struct{ target, plugin, why string }{
				{"/own", "key-auth", "a plugin of the route"},
				{"/address", "ip-restriction", "a list of addresses"},
				{"/inherited", "basic-auth", "a plugin of the service"},
				{"/beside", "basic-auth", "a plugin of the service beside one of the route"},
				{"/other", "basic-auth", "a plugin of the service beside another of the route that is switched off"},
			} {
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					r := s.Do(ctx, traffic.Request{Method: method, Host: h, Target: c.target})
					guarded(t, gw, r, method+" "+c.target, c.plugin, c.why)
				}
			}
		}
	},
}

// guarded judges the answer to a request that must not get through.
func guarded(t *spec.T, gw spec.Gateway, r traffic.Result, line, plugin, why string) {
	if r.Reply == nil {
		t.Check(false, "%s: %s: no answer: %v (op %s)", gw.Ref, line, r.Err, r.Op.ID)
		return
	}
	statuses := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable}
	t.Check(!r.Reply.FromBackend() && slices.Contains(statuses, r.Reply.Status),
		"%s: %s: got %s, want one of %v from the gateway itself (%s)", gw.Ref, line, ask.Said(r), statuses, why)
	if r.Reply.Status != http.StatusServiceUnavailable {
		return
	}
	var said struct {
		Msg string `json:"error_msg"`
	}
	err := json.Unmarshal(r.Reply.Body, &said)
	t.Check(err == nil && strings.Contains(said.Msg, plugin), "%s: %s: got 503 with %.200q, want JSON whose error_msg names %s (%s)", gw.Ref, line, r.Reply.Body, plugin, why)
}
