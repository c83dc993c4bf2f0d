package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that a client which sends whole configurations cannot drive: what
// it accepts does not come into force, or what the next one lacks stays.
var adminStandaloneSync = spec.Case{
	ID: "ADMIN-STANDALONE-SYNC", Level: spec.Must, Needs: []spec.Feature{spec.AdminStandalone},
	Title:    "The flow of a client that sends whole configurations: it probes, reads, replaces, replaces again and takes everything away, and gateways serve what it sent last.",
	Refs:     []string{"APISIX 3.18, standalone API", "ADC 0.28, backend apisix-standalone"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		emptied(ctx, t)
		probe := ask.Answered(ctx, t, spec.Call{Method: http.MethodHead, NoKey: true}, http.StatusOK)
		t.Check(strings.HasPrefix(probe.Header.Get("Server"), "APISIX/3"), "the server calls itself %q, from which clients learn its version", probe.Header.Get("Server"))
		_, version, _ := versions(ctx, t)
		version = max(version+1, time.Now().UnixMilli())

		body := func(version int64, backend int) string {
			return t.Render(fmt.Sprintf(`{"routes_conf_version":%d,"routes":[{"id":"{{.ID}}-r","uri":"/whole","host":"{{.Host}}","upstream_id":"{{.ID}}-u","modifiedIndex":%d}],
				"upstreams":[{"id":"{{.ID}}-u","nodes":{"{{index .Backends %d}}":1},"modifiedIndex":%d}]}`, version, version, backend, version))
		}
		serves := func(want int, why string) {
			t.Wait(ctx)
			ask.Route(ctx, t, ask.Expect{Host: t.Host(), Target: "/whole", Want: want, Why: why})
		}
		first := replace(body(version, 0))
		was := accepted(ctx, t, first)
		serves(0, "it was accepted")
		head := ask.Answered(ctx, t, spec.Call{Method: http.MethodHead, Path: configs}, http.StatusOK)
		for _, name := range []string{"X-Digest", "X-Last-Modified"} {
			t.Check(head.Header.Get(name) == was.Header.Get(name), "HEAD has %s %q, PUT had %q", name, head.Header.Get(name), was.Header.Get(name))
		}
		got, now, _ := versions(ctx, t)
		want := t.Render(fmt.Sprintf(`[{"host":"{{.Host}}","id":"{{.ID}}-r","modifiedIndex":%d,"upstream_id":"{{.ID}}-u","uri":"/whole"}]`, version))
		t.Check(now == version && text(got["routes"]) == want, "routes at version %d are %s, want version %d and %s", now, text(got["routes"]), version, want)
		again := ask.Answered(ctx, t, first, http.StatusNoContent)
		t.Check(len(again.Body) == 0, "the same digest again: got %s, want no body", again)

		accepted(ctx, t, replace(body(version+1, 1)))
		serves(1, "the upstream was replaced")
		accepted(ctx, t, replaceAs(t.Name("empty"), `{}`))
		serves(ask.None, "the configuration is empty")
		got, _, _ = versions(ctx, t)
		list, _ := got["routes"].([]any)
		t.Check(len(list) == 0, "an empty configuration has routes: %v", list)
	},
}
