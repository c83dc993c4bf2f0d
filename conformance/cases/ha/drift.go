package ha

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches gateways that look at revisions alone: one that began after an object was
// spoilt has no earlier version of it, says that it is as far as all others, and serves
// something else, for as long as nobody looks.
var drift = spec.Case{
	ID: "HA-DRIFT", Level: spec.Must, Needs: []spec.Feature{spec.HADrift}, Env: []spec.Capability{spec.Region, spec.Control},
	Title: "When a gateway serves something else than the others at the same revision, another one names it and counts it in its metrics, and neither does when they are equal again.",
	Refs:  []string{"docs/wire.md 3: GET /status, drift", "docs/metrics.md: unilb_config_drift", "docs/wire.md 1, errors: the previous version stays in force"},
	After: []string{"RELOAD-REFUSED-EDIT"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 2,
	Timeout:  caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		all := t.Env().Gateways()
		if len(all) < 2 {
			t.Brokenf("want two gateways, the place has %d", len(all))
		}
		odd, others := all[len(all)-1], all[:len(all)-1]
		path, more := "routes/"+t.ID(), fmt.Sprintf(`,"upstream":{"type":"roundrobin","nodes":{%q:1}}}`, t.Backend(1).Addr)
		good := fmt.Sprintf(`{"host":%q,"uri":"/*"`, t.Host())

		if err := t.Env().Drain(ctx, odd.Ref); err != nil {
			t.Brokenf("%v", err)
		}
		defer func() { // what the case wrote is removed only when all run
			again, cancel := context.WithTimeout(context.WithoutCancel(ctx), caseTime)
			defer cancel()
			_ = t.Env().Restart(again, odd.Ref) // nothing, when it was started below
		}()
		for _, body := range []string{good + more, good + `,"filter_func":"function(vars) return true end"` + more} { // nobody runs functions
			r := t.Put(ctx, path, body)
			for _, gw := range others {
				inForce(ctx, t, gw, r.Revision)
			}
		}
		if err := t.Env().Restart(ctx, odd.Ref); err != nil {
			t.Brokenf("%v", err)
		}
		t.Wait(ctx)
		if got := served(ctx, t, odd); got == t.Backend(1).Ref {
			t.Undecided("%s serves what the others serve, which it has not seen: %s", odd.Ref, got)
		}
		for _, gw := range others {
			got := served(ctx, t, gw)
			t.Check(got == t.Backend(1).Ref, "%s: got %q, want %s, the version before the one that is refused", gw.Ref, got, t.Backend(1).Ref)
		}
		ask.Until(ctx, t, fmt.Sprintf("another gateway names %s", odd.Ref), 1, func() bool {
			for _, gw := range others {
				if said := drifts(ctx, t, gw); said.names[odd.Ref] && said.metric >= 1 {
					t.Logf("%s names %s", gw.Ref, odd.Ref)
					return true
				}
			}
			return false
		})

		t.Put(ctx, path, good+more)
		t.Wait(ctx)
		ask.Until(ctx, t, "no gateway names another when all are equal", 1, func() bool {
			for _, gw := range all {
				if said := drifts(ctx, t, gw); len(said.names) > 0 || said.metric > 0 {
					return false
				}
			}
			return true
		})
	},
}

// inForce returns when a gateway has seen a revision; t.Wait is for all of them.
func inForce(ctx context.Context, t *spec.T, gw spec.Gateway, rev int64) {
	path := fmt.Sprintf("/status/applied?prefix=/apisix&revision=%d&timeout=10s", rev)
	r, err := status(t, gw).Do(ctx, spec.Call{Method: http.MethodGet, Path: path, NoKey: true})
	if err != nil || r.Status != http.StatusOK {
		t.Fatalf("GET %s of %s: got %s, %v, want 200", path, gw.Ref, r, err)
	}
}

// status is the status listener of a gateway.
func status(t *spec.T, gw spec.Gateway) spec.Endpoint {
	if gw.Status.URL == "" {
		t.Brokenf("nobody says where the status listener of %s is", gw.Ref)
	}
	return gw.Status
}

// served is who answers a request through a gateway; "": it does itself.
func served(ctx context.Context, t *spec.T, gw spec.Gateway) topology.Ref {
	r := ask.Session(t, gw.Data, traffic.Options{}).Do(ctx, traffic.Request{Host: t.Host()})
	if r.Reply == nil {
		t.Fatalf("%s: no answer: %v (op %s)", gw.Ref, r.Err, r.Op.ID)
	}
	return r.Backend()
}

// differing is what a gateway says of others below /apisix.
type differing struct {
	names  map[topology.Ref]bool // at /status
	metric float64               // how many, in its metrics
}

func drifts(ctx context.Context, t *spec.T, gw spec.Gateway) differing {
	said := differing{names: map[topology.Ref]bool{}}
	r, err := status(t, gw).Do(ctx, spec.Call{Method: http.MethodGet, Path: "/status", NoKey: true})
	list, there := r.JSON()["drift"].([]any)
	if err != nil || !there {
		t.Fatalf("GET /status of %s: got %s, %v, want an object with drift", gw.Ref, r, err)
	}
	for _, one := range list {
		d, _ := one.(map[string]any)
		if d["prefix"] == "/apisix" {
			name, _ := d["node"].(string)
			said.names[topology.Ref(name)] = true
		}
	}
	r, err = status(t, gw).Do(ctx, spec.Call{Method: http.MethodGet, Path: "/metrics", NoKey: true})
	found := false
	for line := range strings.Lines(string(r.Body)) {
		if n, _ := fmt.Sscanf(line, `unilb_config_drift{prefix="/apisix"} %g`, &said.metric); n == 1 {
			found = true
		}
	}
	if err != nil || !found {
		t.Fatalf("GET /metrics of %s: got %d, %v, want unilb_config_drift of /apisix", gw.Ref, r.Status, err)
	}
	return said
}
