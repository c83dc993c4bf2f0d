package topology

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

// A walker forwards packets through a plan as the kernels will: longest prefix
// first, own addresses before routes.
type walker struct {
	plan  *Plan
	local map[netip.Addr]Ref // outside VPCs
}

func newWalker(p *Plan) *walker {
	w := &walker{plan: p, local: map[netip.Addr]Ref{}}
	for _, l := range p.Links {
		for _, e := range []End{l.A, l.B} {
			if n, _ := p.Node(e.Node); n.Kind != KindGuest && e.Addr.IsValid() {
				w.local[e.Addr.Addr()] = e.Node
			}
		}
	}
	return w
}

// next returns the node after from on the way to dst; a group takes leg 0.
func (w *walker) next(from Ref, dst netip.Addr) (Ref, error) {
	n, _ := w.plan.Node(from)
	best, via := -1, netip.Addr{}
	for _, l := range w.plan.LinksOf(from) {
		near, _ := l.Near(from)
		if near.Addr.IsValid() && near.Addr.Masked().Contains(dst) && near.Addr.Bits() > best {
			best, via = near.Addr.Bits(), dst
		}
	}
	for _, r := range n.Routes {
		if !r.Dst.Contains(dst) || r.Dst.Bits() <= best {
			continue
		}
		best, via = r.Dst.Bits(), r.Via
		if r.Group != "" {
			i := slices.IndexFunc(w.plan.Groups, func(g NexthopGroup) bool { return g.Name == r.Group && g.Node == from })
			via = w.plan.Groups[i].Legs[0].Via
		}
	}
	to, ok := w.local[via]
	if !ok {
		return "", fmt.Errorf("%s has no way to %s", from, dst)
	}
	return to, nil
}

// walk returns the nodes between from and the owner of dst.
func (w *walker) walk(from Ref, dst netip.Addr) ([]Ref, error) {
	path := []Ref{from}
	for at := from; w.local[dst] != at; {
		next, err := w.next(at, dst)
		if err != nil {
			return path, err
		}
		if n, _ := w.plan.Node(at); at != from && !n.Forward {
			return path, fmt.Errorf("%s does not forward", at)
		}
		if slices.Contains(path, next) {
			return path, fmt.Errorf("loop at %s on the way to %s: %v", next, dst, path)
		}
		path, at = append(path, next), next
	}
	return path, nil
}

func TestEveryAddressIsReachedFromEverywhere(t *testing.T) {
	plans := map[string]*Plan{"three regions": threeRegions(t)}
	for _, name := range LibraryNames() {
		plans[name] = libraryPlan(t, name)
	}
	for name, p := range plans {
		t.Run(name, func(t *testing.T) {
			w := newWalker(p)
			walked := 0
			for _, from := range p.Nodes {
				for _, to := range p.Nodes {
					if from.Kind == KindGuest || to.Kind == KindGuest || !meet(&from, &to) {
						continue
					}
					if _, err := w.walk(from.Ref, to.Underlay); err != nil {
						t.Errorf("%s to %s: %v", from.Ref, to.Ref, err)
					}
					walked++
				}
			}
			if walked < len(p.Nodes)-len(p.OfKind(KindGuest)) {
				t.Errorf("only %d ways walked", walked)
			}
		})
	}
}

// meet says whether two nodes have business: regions are not joined, and a
// server answers a client at the address that faces its own region.
func meet(a, b *Node) bool {
	if a.Region == "" || b.Region == "" {
		return a.Region == "" && b.Region != "" || a.Region != "" && b.Region == "" && a.Region == "bj"
	}
	return a.Region == b.Region
}

func TestVIPsLeadToAnL4Node(t *testing.T) {
	p := libraryPlan(t, "two-az")
	w := newWalker(p)
	for _, v := range p.VIPs {
		for _, from := range []Ref{"client/inet-1", "bj/az1/api-1", "bj/az2/api-1"} {
			at := from
			for range 8 {
				next, err := w.next(at, v.Address)
				if err != nil {
					t.Fatalf("%s to %s: %v", from, v.Name, err)
				}
				at = next
				if n, _ := p.Node(at); n.Kind == KindL4 {
					break
				}
			}
			if n, _ := p.Node(at); n.Kind != KindL4 {
				t.Errorf("%s to %s ends at %s, want an L4 node", from, v.Name, at)
			}
		}
	}
}

func TestTrafficBetweenAZsTakesTheirWire(t *testing.T) {
	p := libraryPlan(t, "two-az")
	w := newWalker(p)
	host, _ := p.Node("bj/az2/host-1")
	path, err := w.walk("bj/az1/l7-1", host.Underlay)
	if err != nil {
		t.Fatal(err)
	}
	want := []Ref{"bj/az1/l7-1", "bj/az1/router", "bj/az2/router", "bj/az2/host-1"}
	if !slices.Equal(path, want) {
		t.Errorf("path %v, want %v", path, want)
	}
	host, _ = p.Node("bj/az1/host-1")
	if path, err = w.walk("bj/az2/l7-1", host.Underlay); err != nil || len(path) != 4 || path[2] != "bj/az1/router" {
		t.Errorf("path %v, %v, want over bj/az1/router", path, err)
	}
	green, _ := p.Node("idc/bj/green-1")
	if path, err = w.walk("bj/az1/l7-1", green.Underlay); err != nil || path[2] != "bj/az2/router" {
		t.Errorf("path %v, %v, want over bj/az2/router", path, err)
	}
}
