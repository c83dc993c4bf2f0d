package reload

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches a gateway that listens before it has read its routes: each start of it
// answers 404 for sites that exist, and caches and search engines believe it.
var restartByConfiguration = spec.Case{
	ID: "RELOAD-RESTART-BY-CONFIGURATION", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig}, Env: []spec.Capability{spec.Faults},
	Title:    "A gateway that was killed and is started again refuses connections until it knows its configuration, and its first answer is by it.",
	Refs:     []string{"APISIX 3.18 data plane, start: configuration is read before workers listen", "docs/faults.md: kill"},
	After:    []string{"ROUTE-EXACT"},
	Backends: 1,
	Timeout:  time.Minute,
	Objects: `
-- routes/{{.ID}}-r --
{"host":"{{.Host}}","uri":"/*","upstream":{"type":"roundrobin","nodes":{"{{index .Backends 0}}":1}}}
`,
	Run: func(ctx context.Context, t *spec.T) {
		const restarts = 3
		g := t.Env().Gateways()[0]
		load, err := traffic.Start(ctx, t.Env().Clients()[:1], t.Env().Recorder(),
			traffic.New(t.Name("load"), g.Data, traffic.Closed(4), traffic.ToHost(t.Host()), site.GivingUpAfter(5*time.Second)))
		if err != nil {
			t.Brokenf("start load: %v", err)
		}
		t.Cleanup(func(ctx context.Context) error { _, _ = load.Stop(ctx); return nil }) // judged below
		site.Steady(ctx, t, load, 100*time.Millisecond)
		for range restarts {
			heal, err := t.Env().Inject(ctx, fault.Kill{On: topology.Selector(g.Ref), Process: topology.ProcGateway})
			if err != nil {
				t.Brokenf("kill %s: %v", g.Ref, err)
			}
			t.Cleanup(heal)
			if err := heal(ctx); err != nil {
				t.Brokenf("%v", err)
			}
			site.Steady(ctx, t, load, 100*time.Millisecond)
		}
		h := site.Stop(ctx, t, load)
		refused, served := 0, 0
		for _, o := range h.Ops {
			switch {
			case o.Response == nil && (o.Class == history.ClassRefused || o.Class == history.ClassReset || o.Class == history.ClassEOF):
				refused++ // what a dead gateway looks like
			case o.Response != nil && o.Response.Backend == t.Backend(0).Ref:
				served++
			default:
				t.Check(false, "got %s%s at +%s, want an answer of %s or no connection (op %s)", answered(o), o.Error, o.Returned, t.Backend(0).Ref, o.ID)
			}
		}
		t.Logf("%d restarts: %d requests served, %d refused or cut", restarts, served, refused)
		if refused == 0 {
			t.Undecided("no request met the gateway while it was dead")
		}
		ask.Route(ctx, t, ask.Expect{Host: t.Host(), Want: 0, Why: "after all restarts"})
	},
}

func answered(o history.Op) string {
	if o.Response == nil {
		return "no answer: " + string(o.Class) + ": "
	}
	return "the gateway's own answer: "
}
