package lab

import (
	"fmt"
	"io"

	"github.com/unilb/unilb/sim/capture"
	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

// A Wire is a link of the plan that can be impaired, and what is known of its
// frames.
type Wire struct {
	wire.Wire
	Link topology.Link
	Ring *capture.Ring // nil when Options.CaptureBytes is negative
}

// layWire makes the wire of a link.
func (l *Lab) layWire(pl topology.Link, a, b link.End) (*Wire, error) {
	w := &Wire{Link: pl}
	if l.o.CaptureBytes >= 0 {
		w.Ring = capture.NewRing(pl.Name, l.o.CaptureBytes)
	}
	var err error
	w.Wire, err = wire.Lay(a, b, wire.Options{Seed: l.plan.Seed, Name: pl.Name, AB: pl.Impair, BA: pl.Impair, Ring: w.Ring})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Wires returns the wires of the lab, in plan order.
func (l *Lab) Wires() []*Wire { return l.wires }

// Wire returns the wire that has the name of its link.
func (l *Lab) Wire(name string) (*Wire, error) {
	for _, w := range l.wires {
		if w.Link.Name == name {
			return w, nil
		}
	}
	if _, ok := l.plan.Link(name); ok {
		return nil, fmt.Errorf("link %q of lab %s is a kernel link, not a wire", name, l.plan.Lab)
	}
	return nil, fmt.Errorf("no wire %q in lab %s", name, l.plan.Lab)
}

// Capture writes the newest frames of the selected wires as one pcapng, in which
// each interface has the name of its link. It may be called while the lab runs and
// after Down.
func (l *Lab) Capture(w io.Writer, sel topology.LinkSelector) error {
	if err := sel.Check(); err != nil {
		return &SelectionError{sel, err.Error()}
	}
	var rings []*capture.Ring
	for _, wr := range l.wires {
		if wr.Ring != nil && sel.Match(wr.Link.A.Node, wr.Link.B.Node) {
			rings = append(rings, wr.Ring)
		}
	}
	switch {
	case len(rings) == 0 && l.o.CaptureBytes < 0:
		return &SelectionError{sel, fmt.Sprintf("lab %s keeps no frames", l.plan.Lab)}
	case len(rings) == 0:
		return &SelectionError{sel, fmt.Sprintf("it selects none of the %d wires of lab %s", len(l.wires), l.plan.Lab)}
	}
	return capture.Write(w, rings...)
}
