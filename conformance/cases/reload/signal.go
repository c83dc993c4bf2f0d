package reload

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
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
