package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that adds the new host and path of an edited route to its
// index and leaves the old ones there.
var reloadRouteMoves = spec.Case{
	ID: "RELOAD-ROUTE-MOVES", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title: "A route whose host and path are edited serves the new ones and no longer the old ones.",
	Refs:  []string{"APISIX 3.18 config_etcd: a put replaces the object"},
	Objects: `
-- routes/{{.ID}} --
{"hosts": ["a.{{.Host}}", "b.{{.Host}}"], "uris": ["/x", "/y"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		a, b, c := "a."+t.Host(), "b."+t.Host(), "c."+t.Host()
		ask.Route(ctx, t, ask.Expect{Host: a, Target: "/x", Want: 0, Why: "before"}, ask.Expect{Host: b, Target: "/y", Want: 0, Why: "before"})
		t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"hosts":[%q,%q],"uris":["/y","/z"],"upstream":%s}`, b, c, upstreamOf(t.Backend(0))))
		t.Wait(ctx)
		ask.Route(ctx, t,
			ask.Expect{Host: b, Target: "/y", Want: 0, Why: "host and path have stayed"},
			ask.Expect{Host: c, Target: "/z", Want: 0, Why: "host and path are new"},
			ask.Expect{Host: b, Target: "/x", Want: ask.None, Why: "the path is gone"},
			ask.Expect{Host: a, Target: "/y", Want: ask.None, Why: "the host is gone"},
			ask.Expect{Host: a, Target: "/x", Want: ask.None, Why: "both are gone"},
		)
	},
}
