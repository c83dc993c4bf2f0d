package reload

import (
	"context"
	"fmt"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// upstreamOf is an upstream whose nodes share evenly.
func upstreamOf(bs ...spec.Backend) string {
	var nodes []string
	for _, b := range bs {
		nodes = append(nodes, fmt.Sprintf("%q:1", b.Addr))
	}
	return fmt.Sprintf(`{"type":"roundrobin","nodes":{%s}}`, strings.Join(nodes, ","))
}

// A kept is a connection to a gateway that carries one request after the other.
type kept struct {
	*traffic.Session
	spec.Gateway
}

// keep opens so many connections to each gateway and sends a request over each.
func keep(ctx context.Context, t *spec.T, n int, first traffic.Request) []kept {
	var out []kept
	for _, gw := range t.Env().Gateways() {
		for range n {
			k := kept{ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}}), gw}
			if r := k.Do(ctx, first); r.Reply == nil {
				t.Fatalf("%s: before any edit: %s (op %s)", gw.Ref, ask.Said(r), r.Op.ID)
			}
			out = append(out, k)
		}
	}
	return out
}

// served checks that a backend answers a request over a connection.
func (k kept) served(ctx context.Context, t *spec.T, r traffic.Request, want spec.Backend, why string) traffic.Result {
	got := k.Do(ctx, r)
	t.Check(got.Backend() == want.Ref && got.Reply.Status == 200, "%s: %s: request %d of its connection: got %s, want 200 from %s (op %s)",
		k.Ref, why, got.Op.Reused+1, ask.Said(got), want.Ref, got.Op.ID)
	return got
}

// touch edits a route that nothing else of the case uses, and waits until that is
// in force: an edit that concerns nobody.
func touch(ctx context.Context, t *spec.T, i int, b spec.Backend) {
	t.Put(ctx, "routes/"+t.Name("unrelated"), fmt.Sprintf(`{"host":"unrelated.%s","uri":"/%d","upstream":%s}`, t.Host(), i, upstreamOf(b)))
	t.Wait(ctx)
}
