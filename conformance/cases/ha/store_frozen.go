package ha

import (
	"context"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/topology"
)

// Catches a gateway that waits for its store with a request in hand, and a
// control plane that says of an edit made meanwhile what is not true.
var storeFrozen = spec.Case{
	ID: "HA-STORE-FROZEN", Level: spec.Must, Needs: []spec.Feature{spec.HAStore}, Env: faulty,
	Title:   "While every member of the store hangs no request is lost, and an edit made meanwhile is answered within 15 s of its end: refused with 5xx, or done and then stored.",
	Refs:    []string{"APISIX 3.18 Admin API, early errors: etcd failure", "docs/faults.md"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		o := withoutStore(ctx, t, func(store topology.Selector) fault.Fault { return fault.Freeze{On: store, Process: topology.ProcEtcd} })

		type answer struct {
			spec.Reply
			err error
		}
		answered := make(chan answer, 1)
		go func() {
			r, err := o.edit(ctx, t, t.Env().Admin(), o.servers[1].Addr)
			answered <- answer{r, err}
		}()
		site.Steady(ctx, t, o.fresh, time.Second)
		o.mend(ctx)
		alarm := time.NewTimer(site.Bound)
		defer alarm.Stop()
		select {
		case a := <-answered:
			t.Logf("the edit that was made meanwhile: %s, %v", a.Reply, a.err)
			done := a.err == nil && a.Status == http.StatusOK
			t.Check(done || a.err == nil && a.Status/100 == 5, "an edit made meanwhile: got %s, %v, want 200 or 5xx", a.Reply, a.err)
			if done {
				r := ask.Answered(ctx, t, spec.Call{Method: http.MethodGet, Path: o.path}, http.StatusOK)
				v, _ := r.JSON()["value"].(map[string]any)
				t.Check(v["desc"] == o.last(), "the edit made meanwhile was answered with 200, and what is stored is %s", r)
			}
		case <-alarm.C:
			t.Fatalf("an edit made meanwhile is not answered within %s of the end", site.Bound)
		}
		o.over(ctx, t)
	},
}
