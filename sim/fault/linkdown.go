package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unilb/unilb/topology"
)

// A Side is one end of a link. The zero value is both.
type Side string

// The sides.
const (
	BothSides Side = ""
	SideA     Side = "a" // that the selector names first
	SideB     Side = "b"
)

// carrierLimit bounds how long the kernel may take to act on a carrier; it looks
// at such news once a second at the latest.
const carrierLimit = 10 * time.Second

// LinkDown sets interfaces down. The other end sees at once that its cable is
// dead. Revert sets them up and restores the routes that the plan has by them;
// what daemons had added is gone, as on a real machine.
type LinkDown struct {
	Link topology.LinkSelector `json:"link" arg:"1" need:"true" doc:"links, as node--node or by a node that they end in"`
	Side Side                  `json:"side,omitempty" arg:"2" doc:"a or b: the end that is set down, a being named first; both without it"`
}

// Spelling implements Spelled.
func (f LinkDown) Spelling() error {
	if f.Side != BothSides && f.Side != SideA && f.Side != SideB {
		return fmt.Errorf("side %q is none of %q, %q", f.Side, SideA, SideB)
	}
	return f.Link.Check()
}

// Kind implements Fault.
func (LinkDown) Kind() string { return "link-down" }

func (f LinkDown) String() string {
	if f.Side == BothSides {
		return fmt.Sprintf("link %s goes down", f.Link)
	}
	return fmt.Sprintf("link %s goes down at its end %s", f.Link, f.Side)
}

// Touches implements Fault.
func (f LinkDown) Touches(t Target) []topology.Ref { return ends(t, f.Link) }

// Claims implements Claimer. It needs both ends whichever it sets down: the
// carrier of the other one is part of what it does.
func (f LinkDown) Claims(t Target) []Claim {
	var out []Claim
	for _, l := range lanes(t, f.Link, BothWays) {
		out = append(out, InterfaceClaim(l.from.Ref(), l.from.Interface()))
	}
	return out
}

// ports are the ends that are set down, and the others.
func (f LinkDown) ports(t Target) (down, others []Port) {
	for _, l := range lanes(t, f.Link, AToB) {
		near := l.from
		a, far := l.link.Ends()
		if l.way == BToA {
			far = a
		}
		switch f.Side {
		case SideA:
			down, others = append(down, near), append(others, far)
		case SideB:
			down, others = append(down, far), append(others, near)
		default:
			down = append(down, near, far)
		}
	}
	return down, others
}

// Check implements Fault.
func (f LinkDown) Check(t Target) error {
	if err := checkLinks(t, f, f.Link); err != nil {
		return err
	}
	down, _ := f.ports(t)
	for _, p := range down {
		up, _, err := p.State()
		if err != nil {
			return err
		}
		if !up {
			return unavailable(f, "%s of %s is down already", p.Interface(), p.Ref())
		}
	}
	return nil
}

// Apply implements Fault.
func (f LinkDown) Apply(ctx context.Context, t Target) error {
	down, others := f.ports(t)
	if err := parallel(down, func(p Port) error { return p.SetUp(false) }); err != nil {
		return err
	}
	return errors.Join(
		parallel(down, func(p Port) error { return awaitPort(ctx, p, false, false) }),
		parallel(others, func(p Port) error { return awaitPort(ctx, p, true, false) }))
}

// Revert implements Fault.
func (f LinkDown) Revert(ctx context.Context, t Target) error {
	down, others := f.ports(t)
	if err := parallel(down, func(p Port) error { return p.SetUp(true) }); err != nil {
		return err
	}
	return parallel(append(down, others...), func(p Port) error { return awaitPort(ctx, p, true, true) })
}

// awaitPort waits until the kernel shows the end as it is to be. The carrier of an
// end that is down itself is not asked for.
func awaitPort(ctx context.Context, p Port, up, carrier bool) error {
	return await(ctx, carrierLimit, func() error {
		isUp, has, err := p.State()
		if err == nil && (isUp != up || up && has != carrier) {
			err = fmt.Errorf("%s of %s is up=%t carrier=%t, want up=%t carrier=%t", p.Interface(), p.Ref(), isUp, has, up, carrier)
		}
		return err
	})
}
