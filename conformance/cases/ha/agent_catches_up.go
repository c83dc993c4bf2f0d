package ha

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches an agent that adds what it reads and forgets nothing: what was deleted
// while it was down stays in the kernel, and leads to whoever gets that address
// next.
var agentCatchesUp = spec.Case{
	ID: "HA-AGENT-CATCHES-UP", Level: spec.Must, Needs: []spec.Feature{spec.HAAgent}, Env: inVPC,
	Title:   "A gateway whose agent was dead while a target was withdrawn does not reach that target any more when the agent is back, and goes on reaching the others.",
	Refs:    []string{"docs/wire.md 1: mappings", "docs/faults.md: agent-crash"},
	After:   []string{"HA-AGENTS-LOST"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		before := uniqueIPs(ctx, t)
		lb, guests := site.Guests(ctx, t, tenant(t), 2)
		gone, stays := mapping(ctx, t, before, lb, guests[0]), mapping(ctx, t, before, lb, guests[1])
		gateways := t.Env().Nodes(topology.KindL7)
		blind, sees := gateways[0], gateways[1]
		for _, g := range []spec.Node{blind, sees} {
			comes(ctx, t, g, gone, "before")
			comes(ctx, t, g, stays, "before")
		}
		load := site.Load(ctx, t, lb, "load", traffic.PerSecond(60), traffic.Keepalive(12))
		site.Steady(ctx, t, load, 300*time.Millisecond)

		mend := site.Break(ctx, t, lb, fault.AgentCrash{On: topology.Selector(blind.Ref)})
		lb.Targets = []netip.AddrPort{guests[1].Addr}
		// It is in force everywhere only when the agent is back: nobody waits for that.
		retarget(ctx, t, lb)
		ask.Until(ctx, t, string(sees.Ref)+" no longer reaches the target that was withdrawn", 2, func() bool { return !reaches(ctx, sees, gone) })
		comes(ctx, t, blind, gone, "while its agent is dead, or else this proves nothing")

		mend(ctx)
		ask.Until(ctx, t, string(blind.Ref)+" no longer reaches the target that was withdrawn, after its agent is back", 2, func() bool { return !reaches(ctx, blind, gone) })
		comes(ctx, t, blind, stays, "after its agent is back")
		t.Verdicts(check.Judge(site.Stop(ctx, t, load), t.Env().Facts(), check.NoRequestLost())...)
	},
}

func retarget(ctx context.Context, t *spec.T, lb site.LB) {
	r, err := site.Begin(ctx, t, t.Env().API(), lb)
	if err != nil || r.Status != http.StatusAccepted {
		t.Fatalf("withdraw a target: got %s, %v, want 202", r, err)
	}
}

// comes waits until a gateway's machine gets a connection to a target.
func comes(ctx context.Context, t *spec.T, from spec.Node, to netip.AddrPort, when string) {
	ask.Until(ctx, t, fmt.Sprintf("%s reaches %s, %s", from.Ref, to, when), 1, func() bool { return reaches(ctx, from, to) })
}

// reaches says whether a gateway's machine gets a connection to a target.
func reaches(ctx context.Context, from spec.Node, to netip.AddrPort) bool {
	ctx, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
	defer cancel()
	c, err := from.Sockets.Dial(ctx, "tcp", to)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// unique is where the addresses lie that stand for targets in tenants' networks.
var unique = netip.MustParsePrefix("100.64.0.0/10")

// uniqueIPs are those that upstreams have now.
func uniqueIPs(ctx context.Context, t *spec.T) map[netip.AddrPort]bool {
	r := ask.Answered(ctx, t, spec.Call{Method: http.MethodGet, Path: "/upstreams"}, http.StatusOK)
	var list struct {
		List []struct {
			Value struct{ Nodes json.RawMessage }
		}
	}
	if err := json.Unmarshal(r.Body, &list); err != nil {
		t.Fatalf("list of upstreams: %v", err)
	}
	out := map[netip.AddrPort]bool{}
	for _, u := range list.List {
		var nodes []struct {
			Host string
			Port uint16
		}
		if json.Unmarshal(u.Value.Nodes, &nodes) != nil {
			continue // the other form: not the control plane's
		}
		for _, n := range nodes {
			if a, err := netip.ParseAddr(n.Host); err == nil && unique.Contains(a) {
				out[netip.AddrPortFrom(a, n.Port)] = true
			}
		}
	}
	return out
}

// mapping is the address that stands for a guest, found by asking who is there.
func mapping(ctx context.Context, t *spec.T, before map[netip.AddrPort]bool, lb site.LB, guest spec.Backend) netip.AddrPort {
	g := t.Env().Nodes(topology.KindL7)[0]
	for a := range uniqueIPs(ctx, t) {
		if before[a] {
			continue
		}
		s := traffic.NewSession(traffic.Client{Ref: g.Ref, Dialer: g.Sockets}, a, t.Env().Recorder(), traffic.Options{Stream: t.Name("who"), Timeout: 2 * time.Second})
		if s.Do(ctx, traffic.Request{Host: lb.Host}).Backend() == guest.Ref {
			return a
		}
	}
	t.Fatalf("no address of %s stands for %s", unique, guest.Ref)
	return netip.AddrPort{}
}
