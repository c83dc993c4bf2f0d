package control

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that explains by other rules than it serves by: the account of an
// incident would be wrong.
var controlExplain = spec.Case{
	ID: "CONTROL-EXPLAIN", Level: spec.Must, Needs: []spec.Feature{spec.ControlExplain, spec.RouteVars, spec.RouteMethods},
	Title: "The account of a request names the route that serves it, every route that was looked at before with a reason, and the revisions of both.",
	Refs:  []string{"docs/explain.md"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "x.{{.Host}}", "uri": "/p/q", "vars": [["http_x_k", "==", "exact"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "x.{{.Host}}", "uri": "/p/*", "methods": ["POST"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "*.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		host := "x." + t.Host()
		each(t, func(gw spec.Gateway) {
			for _, tc := range []struct {
				method, header, want string
				backend              int
				refused              []string
			}{
				{"GET", "exact", "a", 0, nil},
				{"POST", "none", "b", 1, []string{"a"}},
				{"GET", "none", "c", 2, []string{"a", "b"}},
			} {
				ask.Route(ctx, t, ask.Expect{Method: tc.method, Host: host, Target: "/p/q", Header: []history.Field{{Name: "X-K", Value: tc.header}}, Want: tc.backend, Why: "what is explained"})
				q := url.Values{"method": {tc.method}, "url": {"http://" + host + "/p/q"}, "header": {"X-K: " + tc.header}, "local": {gw.Data.String()}}
				a := answered(ctx, t, gw, "/v1/explain?"+q.Encode(), http.StatusOK, "").JSON()
				key, _ := in(a, "route", "key").(string)
				t.Check(strings.HasSuffix(key, "/routes/"+t.Name(tc.want)), "%s: %s with X-K: %s: the account says %q, which is served by %s", gw.Ref, tc.method, tc.header, key, t.Name(tc.want))
				reasons := refusedBefore(a)
				t.Check(len(reasons) == len(tc.refused), "%s: %s with X-K: %s: refused before: %v, want %v", gw.Ref, tc.method, tc.header, reasons, tc.refused)
				for _, id := range tc.refused {
					t.Check(reasons[t.Name(id)] != "", "%s: %s with X-K: %s: no reason for %s in %v", gw.Ref, tc.method, tc.header, t.Name(id), reasons)
				}
				admin := ask.Answered(ctx, t, spec.Call{Method: http.MethodGet, Path: "/routes/" + t.Name(tc.want)}, http.StatusOK).JSON()
				t.Check(fmt.Sprint(revisionOf(a, key)) == fmt.Sprint(admin["modifiedIndex"]), "%s: %s: revision %v, the Admin API says %v", gw.Ref, key, revisionOf(a, key), admin["modifiedIndex"])
			}
			q := url.Values{"url": {"http://nobody." + host + ".invalid/"}, "local": {gw.Data.String()}}
			a := answered(ctx, t, gw, "/v1/explain?"+q.Encode(), http.StatusOK, "").JSON()
			t.Check(a["route"] == nil && fmt.Sprint(in(a, "generated", "status")) == "404", "%s: a host that nobody has: got %v, want 404 by the gateway", gw.Ref, a)
		})
	},
}

// refusedBefore are the reasons by id of the route.
func refusedBefore(a map[string]any) map[string]string {
	out := map[string]string{}
	list, _ := a["refused"].([]any)
	for _, c := range list {
		key, _ := in(c, "key").(string)
		why, _ := in(c, "why").(string)
		out[key[strings.LastIndexByte(key, '/')+1:]] = why
	}
	return out
}

// revisionOf is what an account says of an object.
func revisionOf(a map[string]any, key string) any {
	list, _ := a["objects"].([]any)
	for _, o := range list {
		if in(o, "key") == key {
			return in(o, "modified")
		}
	}
	return nil
}

// knock sends one request for the host of the case.
func knock(ctx context.Context, t *spec.T, gw spec.Gateway) traffic.Result {
	return ask.Session(t, gw.Data, traffic.Options{}).Do(ctx, traffic.Request{Host: t.Host()})
}
