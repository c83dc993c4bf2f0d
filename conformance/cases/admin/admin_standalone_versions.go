package admin

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an API of whole configurations whose versions do not hold: an older client
// overwrites what a newer one has sent, or what did not change is lost.
var adminStandaloneVersions = spec.Case{
	ID: "ADMIN-STANDALONE-VERSIONS", Level: spec.Must, Needs: []spec.Feature{spec.AdminStandalone},
	Title: "Each section has a version: one that is lower is refused, with an equal one the section stays as it was, without one it goes up by one.",
	Refs:  []string{"APISIX 3.18, standalone API: conf_version"},
	After: []string{"ADMIN-STANDALONE-SYNC"},
	Run: func(ctx context.Context, t *spec.T) {
		emptied(ctx, t)
		_, n, _ := versions(ctx, t)
		routes := func(version, uri string) string {
			return t.Render(`{"routes":[{"id":"{{.ID}}","uri":"/` + uri + `","host":"{{.Host}}","plugins":{}}]` + version + `}`)
		}
		given := func(v int64) string { return fmt.Sprintf(`,"routes_conf_version":%d`, v) }
		is := func(why, uri string, version int64) {
			config, now, _ := versions(ctx, t)
			list, _ := config["routes"].([]any)
			got := ""
			if len(list) == 1 {
				got, _ = in(list[0], "uri").(string)
			}
			t.Check(now == version && got == "/"+uri, "%s: the route is %q at version %d, want %q at %d", why, got, now, "/"+uri, version)
		}
		accepted(ctx, t, replace(routes("", "a")))
		is("without a version", "a", n+1)
		accepted(ctx, t, replace(routes(given(n+5), "b")))
		is("a higher version", "b", n+5)
		accepted(ctx, t, replace(routes(given(n+5), "c")))
		is("an equal version", "b", n+5)
		refusedWith(ctx, t, no{replace(routes(given(n+4), "d")), fmt.Sprintf("routes_conf_version must be greater than or equal to (%d)", n+5)})
		is("a lower version was refused", "b", n+5)
		accepted(ctx, t, replaceAs(t.Name("empty"), fmt.Sprintf(`{"routes_conf_version":%d}`, n+5)))
		is("the section of an equal version need not be there", "b", n+5)
		accepted(ctx, t, replace(routes("", "e")))
		is("again without a version", "e", n+6)
	},
}
