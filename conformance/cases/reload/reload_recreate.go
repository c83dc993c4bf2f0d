package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway on which a delete wins over what is written under the same id
// right after it, or that takes up the old object's rest.
var reloadRecreate = spec.Case{
	ID: "RELOAD-RECREATE", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title: "A route that is edited, deleted and written again under its id, at once or one after the other, serves what was written last and nothing of before.",
	Refs:  []string{"APISIX 3.18 config_etcd: events are applied in order"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uris": ["/first", "/both"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		path := "routes/" + t.ID()
		old := fmt.Sprintf(`{"host":%q,"uris":["/first","/both"],"upstream":%s}`, t.Host(), upstreamOf(t.Backend(0)))
		next := fmt.Sprintf(`{"host":%q,"uris":["/second","/both"],"upstream":%s}`, t.Host(), upstreamOf(t.Backend(1)))
		serves := func(why string, first, second, both int) {
			ask.Route(ctx, t,
				ask.Expect{Host: t.Host(), Target: "/first", Want: first, Why: why},
				ask.Expect{Host: t.Host(), Target: "/second", Want: second, Why: why},
				ask.Expect{Host: t.Host(), Target: "/both", Want: both, Why: why})
		}
		for _, wait := range []bool{false, true} {
			pause := func(why string, first, second, both int) {
				if wait {
					t.Wait(ctx)
					serves(why, first, second, both)
				}
			}
			t.Put(ctx, path, old)
			pause("edited", 0, ask.None, 0)
			t.Delete(ctx, path)
			pause("deleted", ask.None, ask.None, ask.None)
			t.Put(ctx, path, next)
			t.Wait(ctx)
			serves("written again", ask.None, 1, 1)
		}
		t.Put(ctx, path, old)
		t.Delete(ctx, path)
		t.Wait(ctx)
		serves("written and deleted at once", ask.None, ask.None, ask.None)
	},
}
