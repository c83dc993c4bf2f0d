package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes targets out and does not say which, so that nobody can tell
// a sick target from a sick gateway.
var controlHealth = spec.Case{
	ID: "CONTROL-HEALTH", Level: spec.Must, Needs: []spec.Feature{spec.ControlHealth, spec.ActiveChecks},
	Title:    "The control API tells the state and the counters of every target that is checked, by its address though it has a name, as JSON and as a page, and why there is none of an object.",
	Refs:     []string{"APISIX 3.18 control API, /v1/healthcheck", "lua-resty-healthcheck-api7 3.2.3, states and counters"},
	Backends: 1,
	Timeout:  3 * ask.HealthBound,
	Run: func(ctx context.Context, t *spec.T) {
		closed, err := t.Env().Closed(ctx)
		if err != nil {
			t.Brokenf("an address where nobody listens: %v", err)
		}
		well := t.Backend(0).Addr
		t.Put(ctx, "upstreams/"+t.ID(), fmt.Sprintf(`{"type": "roundrobin", "nodes": {%q: 1, %q: 1, "localhost:1": 1}, "checks": {"active": {"type": "http", "http_path": "/", "timeout": 1,
 "healthy": {"interval": 1, "successes": 1}, "unhealthy": {"interval": 1, "http_failures": 2, "tcp_failures": 2, "timeouts": 2}}}}`, well, closed))
		t.Put(ctx, "upstreams/"+t.Name("plain"), fmt.Sprintf(`{"type": "roundrobin", "nodes": {%q: 1}}`, well))
		t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host": %q, "uri": "/*", "upstream_id": %q}`, t.Host(), t.ID()))
		t.Wait(ctx)
		each(t, func(gw spec.Gateway) {
			knock(ctx, t, gw) // some gateways look at targets when the first request has come
			path := "/v1/healthcheck/upstreams/" + t.ID()
			ask.Until(ctx, t, "the targets where nobody listens are unhealthy", 1, func() bool {
				r := get(ctx, t, gw, path, nil)
				return state(r.JSON(), closed) == "unhealthy" && named(r.JSON())["status"] == "unhealthy"
			})
			one := answered(ctx, t, gw, path, http.StatusOK, "").JSON()
			judged(t, gw, one, well, closed)
			found := map[string]any(nil)
			for _, c := range list(t, answered(ctx, t, gw, "/v1/healthcheck", http.StatusOK, "")) {
				if name, _ := c["name"].(string); strings.HasSuffix(name, "/upstreams/"+t.ID()) {
					found = c
				}
			}
			judged(t, gw, found, well, closed)
			page := get(ctx, t, gw, "/v1/healthcheck", map[string]string{"Accept": "text/html"})
			text := strings.Join(strings.Fields(string(page.Body)), "")
			t.Check(strings.Contains(text, "<td>"+closed.String()+"</td><td>unhealthy</td>") && strings.Contains(text, "<td>"+well.String()+"</td><td>healthy</td>"),
				"%s: as a page: got %.600s, want a row for each target", gw.Ref, page.Body)
			answered(ctx, t, gw, "/v1/healthcheck/upstreams/"+t.Name("plain"), http.StatusNotFound, fmt.Sprintf("no checker for upstreams[%s]", t.Name("plain")))
			answered(ctx, t, gw, "/v1/healthcheck/upstreams/"+t.Name("none"), http.StatusNotFound, fmt.Sprintf("upstreams[%s] not found", t.Name("none")))
			answered(ctx, t, gw, "/v1/healthcheck/consumers/1", http.StatusBadRequest, "invalid src type consumers")
		})
	},
}

// node is what a checker says of a target.
func node(checker map[string]any, at netip.AddrPort) map[string]any {
	nodes, _ := checker["nodes"].([]any)
	for _, n := range nodes {
		if in(n, "ip") == at.Addr().String() && fmt.Sprint(in(n, "port")) == fmt.Sprint(at.Port()) {
			m, _ := n.(map[string]any)
			return m
		}
	}
	return nil
}

// named is what a checker says of the target localhost:1, on the gateway itself, where
// nobody listens.
func named(checker map[string]any) map[string]any {
	nodes, _ := checker["nodes"].([]any)
	for _, n := range nodes {
		if fmt.Sprint(in(n, "port")) == "1" {
			m, _ := n.(map[string]any)
			return m
		}
	}
	return nil
}

func state(checker map[string]any, at netip.AddrPort) any { return node(checker, at)["status"] }

func judged(t *spec.T, gw spec.Gateway, c map[string]any, well, closed netip.AddrPort) {
	sick := node(c, closed)
	failures, _ := in(sick, "counter", "tcp_failure").(json.Number)
	n, _ := failures.Int64()
	byName := named(c)
	at, err := netip.ParseAddr(fmt.Sprint(byName["ip"]))
	t.Check(err == nil && at.IsLoopback() && (byName["hostname"] == "localhost" || byName["hostheader"] == "localhost"),
		"%s: got %v of the target localhost:1, want its address as ip, and its name", gw.Ref, byName)
	t.Check(c["type"] == "http" && state(c, well) == "healthy" && sick["status"] == "unhealthy" && n >= 2,
		"%s: got %v, want type http, %s healthy and %s unhealthy after 2 failures of tcp", gw.Ref, c, well, closed)
}
