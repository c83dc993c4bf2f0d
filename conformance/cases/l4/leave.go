package l4

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/topology"
)

// drain takes a gateway out of service as its driver says. The returned function
// starts it again and waits until it takes traffic; the end of the case does so in
// any case, for the next one.
func drain(ctx context.Context, t *spec.T, lb site.LB, gateway topology.Ref) (back func(context.Context)) {
	whole := false
	again := func(ctx context.Context) error {
		if whole {
			return nil
		}
		if err := t.Env().Restart(ctx, gateway); err != nil {
			return err
		}
		if err := site.TakeTraffic(ctx, t, lb, site.Refs(t)...); err != nil {
			return err
		}
		whole = true
		return nil
	}
	t.Cleanup(again)
	if err := t.Env().Drain(ctx, gateway); err != nil {
		t.Fatalf("%v", err)
	}
	return func(ctx context.Context) {
		if err := again(ctx); err != nil {
			t.Fatalf("%v", err)
		}
	}
}
