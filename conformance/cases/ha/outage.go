package ha

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// An outage is a store of which no member is at work, in front of which clients and
// an editor go on.
type outage struct {
	*editor
	servers     []spec.Backend
	load, fresh *traffic.Stream // over kept connections, and over one each
	mend        func(context.Context)
}

// withoutStore breaks every member of the store while clients are served well.
func withoutStore(ctx context.Context, t *spec.T, broken func(topology.Selector) fault.Fault) *outage {
	lb, servers := site.Servers(ctx, t, 2)
	store, _ := members(t)
	o := &outage{editor: newEditor(t), servers: servers}
	o.succeeds(ctx, t, t.Env().Admin(), servers[0], "before")
	o.load = site.Load(ctx, t, lb, "load", traffic.PerSecond(100), traffic.Keepalive(12))
	o.fresh = site.Load(ctx, t, lb, "fresh", traffic.PerSecond(50), traffic.FreshConnections())
	site.Steady(ctx, t, o.load, 300*time.Millisecond)
	o.mend = site.Break(ctx, t, lb, broken(store))
	return o
}

// over judges an outage that has been mended: edits come into force again, and no
// client has noticed anything.
func (o *outage) over(ctx context.Context, t *spec.T) {
	o.succeeds(ctx, t, t.Env().Admin(), o.servers[1], "after the store is back")
	t.Verdicts(check.Judge(site.Stop(ctx, t, o.load, o.fresh), t.Env().Facts(), check.NoRequestLost(), check.AtMostOnce())...)
}
