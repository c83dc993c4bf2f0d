package fault

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"

	"github.com/unilb/unilb/topology"
)

// A Direction says which way is meant. The zero value is both ways.
type Direction string

// The directions.
const (
	BothWays Direction = ""
	AToB     Direction = "a-to-b" // what A sends to B
	BToA     Direction = "b-to-a"
)

// Partition silently drops what the nodes of A and B send to each other, on the
// sender's way out: neither side sees an error, a reset or a link that is down.
// What a node forwards for others is dropped too when it is addressed to the other
// side; what is addressed to a VIP is not.
type Partition struct {
	A         topology.Selector `json:"a" arg:"1" need:"true" doc:"nodes of one side"`
	B         topology.Selector `json:"b" arg:"2" need:"true" doc:"nodes of the other side"`
	Direction Direction         `json:"direction,omitempty" arg:"3" doc:"a-to-b or b-to-a; both ways without it"`
}

// Spelling implements Spelled.
func (f Partition) Spelling() error {
	return errors.Join(checkDirection(f.Direction), f.A.Check(), f.B.Check())
}

// Kind implements Fault.
func (Partition) Kind() string { return "partition" }

func (f Partition) String() string {
	switch f.Direction {
	case AToB:
		return fmt.Sprintf("%s no longer reaches %s", f.A, f.B)
	case BToA:
		return fmt.Sprintf("%s no longer reaches %s", f.B, f.A)
	default:
		return fmt.Sprintf("%s and %s no longer reach each other", f.A, f.B)
	}
}

// Touches implements Fault.
func (f Partition) Touches(t Target) []topology.Ref {
	return append(refs(t, f.A), refs(t, f.B)...)
}

// Claims implements Claimer: partitions have rules of their own and compose, but the
// same one twice has one set of rules.
func (f Partition) Claims(Target) []Claim { return []Claim{Claim("the drops " + f.id())} }

// Check implements Fault.
func (f Partition) Check(t Target) error {
	inA := map[topology.Ref]bool{}
	for _, sel := range []topology.Selector{f.A, f.B} {
		machines, err := selected(t, f, sel)
		if err != nil {
			return err
		}
		for _, m := range machines {
			if inA[m.Ref()] {
				return unavailable(f, "%s is on both sides", m.Ref())
			}
			if sel == f.A {
				inA[m.Ref()] = true
			}
		}
	}
	for _, s := range f.sides(t) {
		for _, m := range s.from {
			on, err := m.Dropping(f.id())
			if err != nil {
				return fmt.Errorf("check %q: %w", f, err)
			}
			if on {
				return unavailable(f, "it is in force already")
			}
		}
	}
	return nil
}

// side is one direction: these machines drop what goes to those addresses.
type side struct {
	from []Machine
	to   []netip.Addr
}

func (f Partition) sides(t Target) []side {
	a, b := t.Machines(f.A), t.Machines(f.B)
	var out []side
	if f.Direction != BToA {
		out = append(out, side{from: a, to: addresses(b)})
	}
	if f.Direction != AToB {
		out = append(out, side{from: b, to: addresses(a)})
	}
	return out
}

func addresses(machines []Machine) []netip.Addr {
	var out []netip.Addr
	seen := map[netip.Addr]bool{}
	for _, m := range machines {
		for _, a := range m.Addresses() {
			if !seen[a] {
				seen[a] = true
				out = append(out, a)
			}
		}
	}
	return out
}

// id names the drops of this partition: equal partitions have equal names, which
// makes Apply and Revert idempotent across processes.
func (f Partition) id() string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s|%s|%s", f.A, f.B, f.Direction)
	return fmt.Sprintf("part-%016x", h.Sum64())
}

// Apply implements Fault. That the rules are there is not enough: it sends
// datagrams and looks whether any arrives.
func (f Partition) Apply(ctx context.Context, t Target) error {
	for _, s := range f.sides(t) {
		err := parallel(s.from, func(m Machine) error {
			if err := m.Drop(f.id(), s.to); err != nil {
				return err
			}
			if on, err := m.Dropping(f.id()); err != nil || !on {
				return errors.Join(fmt.Errorf("%s does not drop", m.Ref()), err)
			}
			through, err := m.Leaks(ctx, f.id(), s.to)
			if err == nil && len(through) > 0 {
				err = fmt.Errorf("what %s sends still arrives at %v", m.Ref(), through)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Revert implements Fault.
func (f Partition) Revert(_ context.Context, t Target) error {
	for _, s := range f.sides(t) {
		err := parallel(s.from, func(m Machine) error {
			if err := m.Undrop(f.id()); err != nil {
				return err
			}
			on, err := m.Dropping(f.id())
			if err == nil && on {
				err = fmt.Errorf("%s still drops", m.Ref())
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
