package reload

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// replace has a new process of the gateway take the place of the running one.
func replace(ctx context.Context, t *spec.T, gw spec.Gateway) {
	t.Step("a new process of %s takes over", gw.Ref)
	begun := time.Now()
	if err := t.Env().Replace(ctx, gw.Ref); err != nil {
		t.Fatalf("%v", err)
	}
	t.Logf("%s: taken over after %s", gw.Ref, time.Since(begun).Round(time.Millisecond))
}

// serves checks that the gateway serves ten fresh connections from that backend.
func serves(ctx context.Context, t *spec.T, gw spec.Gateway, r traffic.Request, want spec.Backend, why string) {
	fresh := kept{ask.Session(t, gw.Data, traffic.Options{}), gw}
	for range 10 {
		fresh.served(ctx, t, r, want, why)
	}
}
