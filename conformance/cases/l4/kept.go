package l4

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// A kept connection is asked again and again, and must stay where it is.
type kept struct {
	session *traffic.Session
	conn    uint64
	at      topology.Ref
}

// keep opens connections, n of each client, and says where they are.
func keep(ctx context.Context, t *spec.T, lb site.LB, n int) []*kept {
	var out []*kept
	for _, c := range t.Env().Clients() {
		for range n {
			s := traffic.NewSession(c, lb.To(), t.Env().Recorder(), traffic.Options{Stream: t.Name("kept"), Conns: traffic.ConnPolicy{Keep: 1}, Headers: true})
			t.Cleanup(func(context.Context) error { s.Close(); return nil })
			r := s.Do(ctx, traffic.Request{Host: lb.Host})
			k := &kept{session: s, conn: r.Op.Conn, at: site.Through(t, r)}
			if k.at == "" {
				t.Fatalf("open a connection: got %s (op %s)", ask.Said(r), r.Op.ID)
			}
			out = append(out, k)
		}
	}
	return out
}

// goOn sends one more request on each connection. Each must be answered on the
// same connection, through the same gateway.
func goOn(ctx context.Context, t *spec.T, lb site.LB, all []*kept, when string) {
	for _, k := range all {
		r := k.session.Do(ctx, traffic.Request{Host: lb.Host})
		at := site.Through(t, r)
		t.Check(r.Op.Conn == k.conn && at == k.at, "%s: a connection to %s: got %s through %q, on %s (op %s)", when, k.at, ask.Said(r), at, sameOrNot(r.Op.Conn == k.conn), r.Op.ID)
	}
}

func sameOrNot(same bool) string {
	if same {
		return "the same connection"
	}
	return "another connection: the first was cut"
}

// count is the number of connections by gateway.
func count(all []*kept) string {
	n := map[topology.Ref]int{}
	for _, k := range all {
		n[k.at]++
	}
	return fmt.Sprint(n)
}
