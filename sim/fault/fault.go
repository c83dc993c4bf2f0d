package fault

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/unilb/unilb/topology"
)

// A Fault is one thing that can go wrong. Values marshal to JSON; see Encode.
type Fault interface {
	// Check says whether the fault can be done here; *Unavailable says why not.
	Check(Target) error
	// Apply breaks and returns when the fault has taken hold. Applying twice is
	// applying once.
	Apply(context.Context, Target) error
	// Revert mends, and returns when what was broken serves again. It may be
	// repeated, and called after an Apply that failed half-way. Its context is
	// never that of a cancelled run.
	Revert(context.Context, Target) error
	// Kind is the type tag in JSON and on the timeline.
	Kind() string
	// Touches returns the nodes that the fault changes.
	Touches(Target) []topology.Ref
	// String is the line that the timeline prints.
	String() string
}

// A Resolver is a fault that leaves something open until it is injected: which
// member leads, what a limit was before. Resolve returns the fault with that
// decided; it is what the ledger keeps, so that Revert knows it in any process.
type Resolver interface {
	Resolve(context.Context, Target) (Fault, error)
}

// Unavailable says why a fault cannot be done here.
type Unavailable struct {
	Fault string
	Why   string
	// Machine says that this machine, or this lab, lacks something; without it
	// the fault asks for what is not there, or is in no state for it.
	Machine bool
}

func (e *Unavailable) Error() string { return fmt.Sprintf("cannot do %q: %s", e.Fault, e.Why) }

// unavailable says that a fault asks for what is not there, or is in no state for it.
func unavailable(f Fault, format string, args ...any) error {
	return &Unavailable{Fault: f.String(), Why: fmt.Sprintf(format, args...)}
}

// selected are the machines that a fault is to be done on. Without any, or when the
// fault's words are wrong, the error is *Unavailable.
func selected(t Target, f Fault, on topology.Selector) ([]Machine, error) {
	if s, ok := f.(Spelled); ok {
		if err := s.Spelling(); err != nil {
			return nil, unavailable(f, "%v", err)
		}
	}
	machines := t.Machines(on)
	if len(machines) == 0 {
		return nil, unavailable(f, "no node is selected by %q", on)
	}
	return machines, nil
}

// A Target is the lab, as faults see it.
type Target interface {
	// Machines returns the nodes that the selector selects, in a fixed order.
	Machines(topology.Selector) []Machine
	// Links returns the links that the selector selects, in a fixed order.
	Links(topology.LinkSelector) []Link
	Stores
}

// A Machine is one node. All calls are idempotent.
type Machine interface {
	Ref() topology.Ref
	Addresses() []netip.Addr // all its own, but none of a VIP
	Processes
	Power
	Filter
	Echo
	Descriptors
	Ports
	Connections
	Pins
	Disk
}

// Processes are what runs on a machine, by the names of the plan.
type Processes interface {
	ProcessNames() []string // in the order in which they start
	Running(name string) bool
	Frozen(name string) bool
	Kill(name string) error
	Terminate(ctx context.Context, name string) error // SIGTERM; returns when it has ended
	Freeze(name string) error
	Continue(name string) error
	// Start returns when the process is ready. The arguments are added to those of
	// the plan for this once.
	Start(ctx context.Context, name string, args ...string) error
}

// Power cuts a machine off and takes its power.
type Power interface {
	// Unplug takes every link of the machine down, so that nothing it sends from
	// now on arrives.
	Unplug() error
	Unplugged() bool
	Interfaces() []string // those that Unplug takes down
	// Lose ends everything that runs and forgets what a machine without power
	// forgets. What is on its disk stays.
	Lose() error
	// Boot plugs the machine in and restores what its configuration says. It
	// starts no processes.
	Boot(context.Context) error
}

// Filter drops what a machine sends.
type Filter interface {
	Drop(id string, to []netip.Addr) error
	Dropping(id string) (bool, error)
	Undrop(id string) error
	// Leaks sends a datagram to each address and returns those at which it
	// arrived although the drop with the id is in force.
	Leaks(ctx context.Context, id string, to []netip.Addr) ([]netip.Addr, error)
}

// Planned is a fault that can say, by the plan alone, that a lab cannot have it.
type Planned interface {
	CheckPlan(*topology.Plan) error
}
