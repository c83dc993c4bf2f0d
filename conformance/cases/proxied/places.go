package proxied

import (
	"context"
	"net/netip"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// places is what all cases need.
var places = []spec.Capability{spec.Proxy}

// addressOf is where a client dials gateways from.
func addressOf(ctx context.Context, t *spec.T, from traffic.Client) netip.Addr {
	r := ask.SessionFrom(t, from, t.Env().Gateways()[0].Data, traffic.Options{}).Do(ctx, traffic.Request{Host: t.Host()})
	if r.Reply == nil {
		t.Fatalf("from %s: no answer: %v (op %s)", from.Ref, r.Err, r.Op.ID)
	}
	return netip.MustParseAddr(ask.ClientAddr(t, r))
}

// proxy is a client that gateways believe, stranger one that they do not.
func proxy(t *spec.T) traffic.Client    { return t.Env().Proxies()[0] }
func stranger(t *spec.T) traffic.Client { return t.Env().Clients()[0] }
