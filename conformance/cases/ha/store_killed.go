package ha

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/topology"
)

// refusal is how long an edit without a store may wait for one before it is
// refused: a client gives up after a minute.
const refusal = 40 * time.Second

// Catches a gateway that serves only as long as it can ask its store, and a
// control plane that says "done" to what it could not store.
var storeKilled = spec.Case{
	ID: "HA-STORE-KILLED", Level: spec.Must, Needs: []spec.Feature{spec.HAStore}, Env: faulty,
	Title:   "While every member of the store is dead no request is lost and edits are refused with 5xx and a reason; when it is back, edits come into force again.",
	Refs:    []string{"APISIX 3.18 Admin API, early errors: etcd failure", "docs/faults.md"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		o := withoutStore(ctx, t, func(store topology.Selector) fault.Fault { return fault.Kill{On: store, Process: topology.ProcEtcd} })

		begin := time.Now()
		r, err := o.edit(ctx, t, t.Env().Admin(), o.servers[1].Addr)
		msg, _ := r.JSON()["error_msg"].(string)
		t.Check(err == nil && r.Status/100 == 5 && msg != "", "an edit without a store: got %s, %v, want 5xx with error_msg", r, err)
		t.Logf("an edit without a store: %s after %s", r, time.Since(begin).Round(time.Millisecond))
		t.Check(time.Since(begin) < refusal, "an edit without a store was answered after %s, want less than %s", time.Since(begin), refusal)
		site.Steady(ctx, t, o.fresh, 500*time.Millisecond)

		o.mend(ctx)
		o.over(ctx, t)
	},
}
