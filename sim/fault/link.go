package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/unilb/unilb/topology"
)

// A Link joins two machines. All calls are idempotent.
type Link interface {
	Name() string
	Ends() (a, b Port)
	Cable() Cable // nil: the kernel's own link, which carries everything
}

// A Port is one end of a link: an interface of a machine.
type Port interface {
	Ref() topology.Ref
	Interface() string
	Switch
	Limiter
}

// Switch sets an interface up and down.
type Switch interface {
	// SetUp returns at once. Up restores the routes that the plan has by the
	// interface: the kernel forgets them when it goes down.
	SetUp(up bool) error
	// State is whether the interface is administratively up, and whether it has
	// a carrier.
	State() (up, carrier bool, err error)
}

// Limiter limits what leaves by an interface.
type Limiter interface {
	CanLimit() error          // why this machine cannot
	SetRate(bits int64) error // 0: no limit
	Rate() (bits int64, err error)
}

// A Cable is a link whose frames this process carries, and may harm.
type Cable interface {
	// CheckImpairment says why no cable can do it.
	CheckImpairment(topology.Impairment) error
	Impair(Direction, topology.Impairment) error
	Impairment(Direction) topology.Impairment
}

// A lane is one direction of a link.
type lane struct {
	link Link
	way  Direction // AToB or BToA, as the link has its ends
	from Port
}

// name is that of the lane in a fault's memory and in claims.
func (l lane) name() string { return fmt.Sprintf("%s %s", l.link.Name(), l.way) }

// lanes are the directions that are meant. A is the side that the selector names
// first, or the selected node of a link, whichever end of the plan that is.
func lanes(t Target, s topology.LinkSelector, d Direction) []lane {
	var out []lane
	for _, l := range t.Links(s) {
		a, b := l.Ends()
		there, back := lane{l, AToB, a}, lane{l, BToA, b}
		if s.Turned(a.Ref(), b.Ref()) {
			there, back = back, there
		}
		if d != BToA {
			out = append(out, there)
		}
		if d != AToB {
			out = append(out, back)
		}
	}
	return out
}

// ends are the nodes that the links join.
func ends(t Target, s topology.LinkSelector) []topology.Ref {
	var out []topology.Ref
	seen := map[topology.Ref]bool{}
	for _, l := range t.Links(s) {
		a, b := l.Ends()
		for _, ref := range []topology.Ref{a.Ref(), b.Ref()} {
			if !seen[ref] {
				seen[ref] = true
				out = append(out, ref)
			}
		}
	}
	return out
}

// over says which direction of which links is meant.
func over(s topology.LinkSelector, d Direction) string {
	if d == BothWays {
		return string(s)
	}
	return fmt.Sprintf("%s %s", s, d)
}

// laneClaim is what happens to the frames of one direction of a link.
func laneClaim(l lane) Claim { return Claim(fmt.Sprintf("what %s carries", l.name())) }

// checkLinks is the part of Check that faults of links share.
func checkLinks(t Target, f Fault, s topology.LinkSelector) error {
	if sp, ok := f.(Spelled); ok {
		if err := sp.Spelling(); err != nil {
			return unavailable(f, "%v", err)
		}
	}
	if len(t.Links(s)) == 0 {
		return unavailable(f, "no link is selected by %q", s)
	}
	return nil
}

func checkDirection(d Direction) error {
	if d != BothWays && d != AToB && d != BToA {
		return fmt.Errorf("direction %q is none of %q, %q", d, AToB, BToA)
	}
	return nil
}

// await polls what gives no event until it says nothing more; what it says last
// is the error.
func await(ctx context.Context, limit time.Duration, wrong func() error) error {
	return awaitEvery(ctx, 2*time.Millisecond, limit, wrong)
}

// awaitEvery is await for what is dearer to ask.
func awaitEvery(ctx context.Context, every, limit time.Duration, wrong func() error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		err := wrong()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, context.Cause(ctx))
		case <-deadline.C:
			return fmt.Errorf("%w after %v", err, limit)
		}
	}
}
