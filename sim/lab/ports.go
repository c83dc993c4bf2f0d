package lab

import (
	"sync"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

// Links implements fault.Target.
func (t target) Links(s topology.LinkSelector) []fault.Link {
	var out []fault.Link
	for i := range t.lab.plan.Links {
		if l := &t.lab.plan.Links[i]; s.Match(l.A.Node, l.B.Node) {
			out = append(out, joint{t.lab, l})
		}
	}
	return out
}

// A joint shows a link to faults.
type joint struct {
	lab  *Lab
	plan *topology.Link
}

func (j joint) Name() string { return j.plan.Name }

// Ends implements fault.Link.
func (j joint) Ends() (a, b fault.Port) {
	return port{j, j.plan.A, j.plan.B}, port{j, j.plan.B, j.plan.A}
}

// A port shows an end of a link to faults.
type port struct {
	joint
	near, far topology.End
}

func (p port) Ref() topology.Ref  { return p.near.Node }
func (p port) Interface() string  { return p.near.If }
func (p port) node() *Node        { return p.lab.nodes[p.near.Node] }
func (p port) stack() *link.Stack { return p.node().stack }

// SetUp implements fault.Switch. A TAP does not see that the other one went down:
// it is told.
func (p port) SetUp(up bool) error {
	if err := p.stack().SetUp(p.near.If, up); err != nil {
		return err
	}
	if w := p.wire(); w != nil && w.Medium() == wire.MediumTAP {
		if err := p.lab.nodes[p.far.Node].stack.SetCarrier(p.far.If, up); err != nil {
			return err
		}
	}
	if !up {
		return nil
	}
	return p.node().addRoutes(p.near.If)
}

// State implements fault.Switch.
func (p port) State() (up, carrier bool, err error) {
	s, err := p.stack().State(p.near.If)
	return s.Up, s.Carrier, err
}

// canLimit tries once whether the kernel can limit rates.
var canLimit = sync.OnceValue(func() error { return link.Probe(link.FeatureTBF) })

// CanLimit implements fault.Limiter.
func (p port) CanLimit() error { return canLimit() }

// SetRate implements fault.Limiter.
func (p port) SetRate(bits int64) error {
	if bits == 0 {
		return p.stack().ClearRate(p.near.If)
	}
	return p.stack().SetRate(p.near.If, bits)
}

// Rate implements fault.Limiter.
func (p port) Rate() (int64, error) { return p.stack().Rate(p.near.If) }

// wire is that of the link; nil for a kernel link.
func (j joint) wire() *Wire {
	for _, w := range j.lab.wires {
		if w.Link.Name == j.plan.Name {
			return w
		}
	}
	return nil
}

// Cable implements fault.Link.
func (j joint) Cable() fault.Cable {
	w := j.wire()
	if w == nil {
		return nil
	}
	return cable{w}
}

// A cable shows a wire to faults.
type cable struct{ w *Wire }

func (c cable) CheckImpairment(i topology.Impairment) error { return c.w.Check(i) }

func (c cable) Impair(d fault.Direction, i topology.Impairment) error { return c.w.Impair(way(d), i) }

func (c cable) Impairment(d fault.Direction) topology.Impairment { return c.w.Impairment(way(d)) }

func way(d fault.Direction) wire.Direction {
	if d == fault.BToA {
		return wire.BToA
	}
	return wire.AToB
}
