package l4

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// chooser makes connections from a port of the caller's choice.
type chooser interface {
	DialFrom(ctx context.Context, network string, port uint16, to netip.AddrPort) (net.Conn, error)
}

// fixed dials from one port. A client's ports come round: after some ten thousand
// connections each has been used before.
type fixed struct {
	from  chooser
	port  uint16
	reset bool // end connections by a RST, which L4 forgets soonest
}

// Dial implements traffic.Dialer.
func (f fixed) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	c, err := f.from.DialFrom(ctx, network, f.port, to)
	if tcp, ok := c.(*net.TCPConn); ok && f.reset && err == nil {
		err = tcp.SetLinger(0)
	}
	return c, err
}

// at are sessions from these ports of every client; each makes one connection at a time.
func at(t *spec.T, lb site.LB, name string, first, n uint16, reset bool) []*traffic.Session {
	var out []*traffic.Session
	for _, c := range t.Env().Clients() {
		from, ok := c.Dialer.(chooser)
		if !ok {
			t.Brokenf("%s cannot choose its ports", c.Ref)
		}
		for i := range n {
			one := traffic.Client{Ref: c.Ref, Dialer: fixed{from, first + i, reset}}
			s := traffic.NewSession(one, lb.To(), t.Env().Recorder(), traffic.Options{Stream: t.Name(name), Conns: traffic.ConnPolicy{Keep: 1}, Headers: true})
			t.Cleanup(func(context.Context) error { s.Close(); return nil })
			out = append(out, s)
		}
	}
	return out
}

// Catches an L4 node that believes what an earlier connection of the same ports has
// left behind: of the connections that it takes over it sends some to a gateway that
// does not know them.
var portsAgain = spec.Case{
	ID: "L4-PORTS-AGAIN", Level: spec.Must, Needs: []spec.Feature{spec.L4Failover}, Env: faulty,
	Title:   "A connection from a port that was used before stays with its gateway when its L4 node loses power.",
	Refs:    []string{"docs/wire.md 4: l4lb, connection table"},
	After:   []string{"L4-NODE-LOST"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		// Those connections show it that belong to the gateway which was away: a quarter
		// of four. Of 40 none does with probability (3/4)^40 = 1e-5.
		const ports, want = 20000, 40
		// Ten seconds after a RST, and a tick of a coarse clock, a connection is over for
		// everybody.
		const over = 12 * time.Second
		away := site.Refs(t)[0]
		nodes := slices.DeleteFunc(t.Env().Nodes(topology.KindL4), func(n spec.Node) bool { return !strings.HasPrefix(string(away), n.Region+"/") })
		if len(nodes) != 2 {
			t.Brokenf("want two L4 nodes beside %s, the place has %d", away, len(nodes))
		}
		each := uint16((want + len(t.Env().Clients()) - 1) / len(t.Env().Clients()))
		lost := fault.PowerOff{On: topology.Selector(nodes[0].Ref)}
		lb, _ := site.Servers(ctx, t, 2)
		fresh := site.Load(ctx, t, lb, "fresh", traffic.PerSecond(80), traffic.FreshConnections())
		t.Step("%s leaves", away)
		back := drain(ctx, t, lb, away)
		from := t.Env().Recorder().Now()
		mend := site.Break(ctx, t, lb, lost)
		site.Recovered(ctx, t, fresh, from)
		for _, s := range at(t, lb, "before", ports, each, true) { // by the second L4 node
			r := s.Do(ctx, traffic.Request{Host: lb.Host})
			if g := site.Through(t, r); g == "" || g == away {
				t.Fatalf("a connection without %s: got %s through %q (op %s)", away, ask.Said(r), g, r.Op.ID)
			}
			s.Close()
		}
		back(ctx)
		mend(ctx)

		// The router takes no connection away from a node that works. It gives the first
		// one all of them when the second is out of service for a moment; what that one
		// knows outlives its process.
		mend = site.Break(ctx, t, lb, fault.Kill{On: topology.Selector(nodes[1].Ref), Process: topology.ProcL4})
		site.Steady(ctx, t, fresh, 3*time.Second)
		mend(ctx)
		site.Steady(ctx, t, fresh, over-3*time.Second)
		var all []*kept
		for _, s := range at(t, lb, "kept", ports, each, false) { // by the first
			r := s.Do(ctx, traffic.Request{Host: lb.Host})
			k := &kept{session: s, conn: r.Op.Conn, at: site.Through(t, r)}
			if k.at == "" {
				t.Fatalf("open a connection: got %s (op %s)", ask.Said(r), r.Op.ID)
			}
			all = append(all, k)
		}
		t.Logf("connections by gateway: %s", count(all))
		if !slices.ContainsFunc(all, func(k *kept) bool { return k.at == away }) {
			t.Undecided("none of %d connections is at %s, which was away when their ports were used before", len(all), away)
		}
		from = t.Env().Recorder().Now()
		mend = site.Break(ctx, t, lb, lost)
		goOn(ctx, t, lb, all, "while an L4 node is without power")
		site.Recovered(ctx, t, fresh, from)
		mend(ctx)
		t.Verdicts(check.Judge(site.Stop(ctx, t, fresh), t.Env().Facts(), check.NoRequestLost(), check.AtMostOnce())...)
	},
}
