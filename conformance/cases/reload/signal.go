package reload

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// reloadAll tells every gateway to reload as its manifest says.
func reloadAll(ctx context.Context, t *spec.T) {
	for _, gw := range t.Env().Gateways() {
		if err := t.Env().Reload(ctx, gw.Ref); err != nil {
			t.Fatalf("%v", err)
		}
	}
}

// answers checks that every gateway serves from that backend over fresh
// connections. Kept ones may be closed by a reload at any moment.
func answers(ctx context.Context, t *spec.T, want spec.Backend, why string) {
	for _, gw := range t.Env().Gateways() {
		fresh := kept{ask.Session(t, gw.Data, traffic.Options{}), gw}
		for range 10 {
			fresh.served(ctx, t, traffic.Request{Host: t.Host()}, want, why)
		}
	}
}

// withoutCrossings takes requests out of a history that were on their way when
// the gateway closed their idle connection: RFC 9112 9.3.1 lets it close one at any
// time, and the client repeats such a request. They are at most so many.
func withoutCrossings(t *spec.T, h *history.History, atMost int) *history.History {
	arrived := map[string]bool{}
	for _, a := range h.Arrivals {
		arrived[a.ID] = true
	}
	h.Ops = slices.DeleteFunc(h.Ops, func(o history.Op) bool {
		cut := o.Class == history.ClassEOF || o.Class == history.ClassReset
		if !cut || o.Reused == 0 || arrived[o.ID] || atMost == 0 {
			return false
		}
		atMost--
		t.Logf("op %s met the end of its idle connection: %s", o.ID, o.Error)
		return true
	})
	return h
}
