package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Bound is how long anything may take that a case waits for after a fault. A quiet
// machine needs about a tenth of it.
const Bound = 15 * time.Second

// Through is the gateway from which a backend got a request; empty when no
// backend answered in JSON, or the connection came from nobody that is known.
func Through(t *spec.T, r traffic.Result) topology.Ref {
	var a echo.Answer
	if r.Reply == nil || !r.Reply.FromBackend() || json.Unmarshal(r.Reply.Body, &a) != nil {
		return ""
	}
	from, err := netip.ParseAddrPort(a.From)
	if err != nil {
		return ""
	}
	return t.Env().Facts().Gateways[from.Addr().Unmap()]
}

// Refs are the gateways of the place.
func Refs(t *spec.T) []topology.Ref {
	var out []topology.Ref
	for _, g := range t.Env().Gateways() {
		out = append(out, g.Ref)
	}
	return out
}

// TakeTraffic asks on fresh connections until a request has gone through each of
// the gateways, and says which of them took none.
func TakeTraffic(ctx context.Context, t *spec.T, lb LB, gateways ...topology.Ref) error {
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	missing := map[topology.Ref]bool{}
	for _, g := range gateways {
		missing[g] = true
	}
	sessions := Fresh(t, lb, "whole", time.Second)
	for i := 0; len(missing) > 0; i++ {
		r := sessions[i%len(sessions)].Do(ctx, traffic.Request{Host: lb.Host})
		delete(missing, Through(t, r))
		if ctx.Err() != nil {
			return fmt.Errorf("no request went through %v within %s; the last one: %w", slices.Collect(maps.Keys(missing)), Bound, errors.Join(r.Err, errors.New(r.Op.Error)))
		}
	}
	return nil
}

// Fresh is a session for each client that makes a connection for each request.
func Fresh(t *spec.T, lb LB, name string, timeout time.Duration) []*traffic.Session {
	var out []*traffic.Session
	for _, c := range t.Env().Clients() {
		out = append(out, traffic.NewSession(c, lb.To(), t.Env().Recorder(), traffic.Options{Stream: t.Name(name), Timeout: timeout, Headers: true}))
	}
	return out
}

// Break injects a fault that may take gateways out of the way of a published load
// balancer. The returned function heals it and waits until all of them take
// traffic again; one that does not is a failure. The end of the case does so in
// any case, for the next one.
func Break(ctx context.Context, t *spec.T, lb LB, f fault.Fault) (mend func(context.Context)) {
	t.Step("%s", f)
	heal, err := t.Env().Inject(ctx, f)
	if err != nil {
		t.Brokenf("inject %q: %v", f, err)
	}
	whole := false
	t.Cleanup(func(ctx context.Context) error {
		if whole {
			return nil
		}
		if err := heal(ctx); err != nil {
			return err
		}
		return TakeTraffic(ctx, t, lb, Refs(t)...)
	})
	return func(ctx context.Context) {
		if err := heal(ctx); err != nil {
			t.Brokenf("%v", err)
		}
		if err := TakeTraffic(ctx, t, lb, Refs(t)...); err != nil {
			t.Fatalf("after %q has been mended: %v", f, err)
		}
		whole = true
	}
}
