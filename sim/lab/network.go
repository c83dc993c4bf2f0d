package lab

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/topology"
)

// workers is how many namespaces or links are made at a time. More do not help:
// the kernel's routing lock serialises them, and overlapping its grace periods is
// all there is to gain.
const workers = 6

// buildNetwork makes namespaces, links, addresses, routes and filters.
func (l *Lab) buildNetwork(ctx context.Context) (string, error) {
	if err := l.makeNodes(ctx); err != nil {
		return "", err
	}
	if err := l.makeLinks(ctx); err != nil {
		return "", err
	}
	// Routes come last: a gateway must be on a link before it can be routed to.
	err := l.eachNode(ctx, func(n *Node) error { return n.configure() })
	if err != nil {
		return "", err
	}
	if err := l.eachNode(ctx, func(n *Node) error { return n.checkDevices() }); err != nil {
		return "", err
	}
	if err := l.startSpreading(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d nodes, %d links", len(l.order), len(l.plan.Links)), nil
}

func (l *Lab) makeNodes(ctx context.Context) error {
	for i := range l.plan.Nodes {
		n := &Node{lab: l, plan: &l.plan.Nodes[i], disk: newDisk(l.plan.Lab, &l.plan.Nodes[i]), procs: map[string]*slot{}, links: l.plan.LinksOf(l.plan.Nodes[i].Ref)}
		if l.nodes[n.Ref()] != nil {
			return fmt.Errorf("plan has two nodes %s", n.Ref())
		}
		for _, p := range n.plan.Processes {
			n.procs[p.Name] = &slot{plan: p}
		}
		l.nodes[n.Ref()] = n
		l.order = append(l.order, n)
	}
	return l.eachNode(ctx, func(n *Node) error {
		ns, err := netns.New()
		if err != nil {
			return err
		}
		n.ns = ns
		if n.stack, err = link.Open(ns); err != nil {
			return err
		}
		if err := n.stack.Prepare(n.plan.Forward); err != nil {
			return err
		}
		for _, p := range n.plan.Loopback {
			if err := n.stack.Address("lo", p); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachNode calls do for all nodes, several at a time, and names the node in errors.
func (l *Lab) eachNode(ctx context.Context, do func(*Node) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for _, n := range l.order {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := do(n); err != nil {
				return fmt.Errorf("build %s: %w", n.Ref(), err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (l *Lab) makeLinks(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	wires := make([]*Wire, len(l.plan.Links))
	for i, pl := range l.plan.Links {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			w, err := l.makeLink(pl)
			wires[i] = w
			return err
		})
	}
	err := g.Wait()
	for _, w := range wires {
		if w != nil {
			l.wires = append(l.wires, w)
		}
	}
	return err
}

// makeLink makes one link with the addresses of both ends. The wire is nil for a
// kernel link.
func (l *Lab) makeLink(pl topology.Link) (*Wire, error) {
	a, errA := l.end(pl, pl.A)
	b, errB := l.end(pl, pl.B)
	if err := errors.Join(errA, errB); err != nil {
		return nil, err
	}
	var w *Wire
	switch pl.Kind {
	case topology.LinkVeth:
		if err := link.Veth(a, b); err != nil {
			return nil, err
		}
	case topology.LinkWire:
		var err error
		if w, err = l.layWire(pl, a, b); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("link %s: unknown kind %q", pl.Name, pl.Kind)
	}
	return w, nil
}

func (l *Lab) end(pl topology.Link, e topology.End) (link.End, error) {
	n := l.nodes[e.Node]
	if n == nil {
		return link.End{}, fmt.Errorf("link %s: no node %s", pl.Name, e.Node)
	}
	return link.End{
		Stack: n.stack, Name: e.If, MAC: e.HardwareAddr(), MTU: pl.MTU,
		Alias: pl.Name, Owner: "lbsim." + l.plan.Lab + "." + e.If, Addr: e.Addr,
	}, nil
}

// configure adds routes and filters. Routes that were lost with an interface come
// back when it is called again; filters must not be added twice.
func (n *Node) configure() error {
	if err := n.addRoutes(anyDevice); err != nil {
		return err
	}
	for _, d := range n.plan.Deny {
		if err := n.stack.Deny(d.InIfs, d.UDPPorts); err != nil {
			return err
		}
	}
	return nil
}

// anyDevice stands for all interfaces.
const anyDevice = ""

// addRoutes adds the routes of the plan that use the interface. Those of nexthop
// groups are the spreader's.
func (n *Node) addRoutes(by string) error {
	for _, r := range n.plan.Routes {
		if r.Group != "" || by != anyDevice && r.Dev != by {
			continue
		}
		if err := n.stack.Route(link.Route{Dst: r.Dst, Via: r.Via, Dev: r.Dev, Src: r.Src}); err != nil {
			return err
		}
	}
	return nil
}
