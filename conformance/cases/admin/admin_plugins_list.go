package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API whose dashboard shows no plugins, or in an order in which they
// do not run.
var adminPluginsList = spec.Case{
	ID: "ADMIN-PLUGINS-LIST", Level: spec.Must, Needs: []spec.Feature{spec.AdminPlugins},
	Title: "The names of plugins are listed in the order in which they run, for requests and for connections; there is no third subsystem.",
	Refs:  []string{"APISIX 3.18 Admin API, plugin and schema endpoints"},
	After: []string{"ADMIN-SCHEMA"},
	Run: func(ctx context.Context, t *spec.T) {
		names := func(query string) []string {
			r := ask.Answered(ctx, t, get("/plugins/list"+query), http.StatusOK)
			var out []string
			if err := json.Unmarshal(r.Body, &out); err != nil {
				t.Fatalf("GET /plugins/list%s: got %s, want an array of names", query, r)
			}
			return out
		}
		got := names("")
		last := -1
		for _, name := range []string{"real-ip", "cors", "ip-restriction", "key-auth", "proxy-rewrite", "limit-count", "redirect", "prometheus", "http-logger"} {
			at := slices.Index(got, name)
			t.Check(at > last, "%s is at %d, the one before at %d", name, at, last)
			last = at
		}
		stream := names("?subsystem=stream")
		t.Check(slices.Contains(stream, "mqtt-proxy") && !slices.Contains(stream, "key-auth") && !slices.Contains(got, "mqtt-proxy"), "for connections: got %q", stream)
		r := ask.Answered(ctx, t, get("/plugins/list?subsystem=udp"), http.StatusBadRequest)
		t.Check(strings.TrimSpace(string(r.Body)) == "invalid subsystem passed", "got %s", r)
	},
}
