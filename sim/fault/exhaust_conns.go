package fault

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/topology"
)

// Connections is the table in which an L4 node remembers which member has which
// flow.
type Connections interface {
	ConnTable(seed uint64) (ConnTable, error) // an error when there is none
	// FillConns writes entries that no packet will ever ask for until the table
	// holds no more. They follow from the seed.
	FillConns(seed uint64) error
	// DrainConns deletes those entries, in any process, and returns how many are
	// left. Without a table there is none.
	DrainConns(seed uint64) (int, error)
}

// ConnTable is what the table looks like.
type ConnTable struct {
	Capacity int
	Entries  int
	Foreign  int  // those among them that FillConns wrote with the seed
	Evicts   bool // a new entry replaces the oldest; otherwise it is refused
}

// full reports whether the table takes no entry without giving one up. The kernel
// keeps a few free ones for each CPU, which the others do not get.
func (c ConnTable) full() bool { return c.Entries >= c.Capacity-c.Capacity/10 }

// ExhaustConnections fills the connection table of L4 nodes with foreign entries,
// as a flood of connections does. A table that evicts forgets the flows that were
// quiet for longest. A flow that is forgotten follows the ring: it stays with its
// member unless members came or went; one to a member that drains is lost.
type ExhaustConnections struct {
	On   topology.Selector `json:"on" arg:"1" need:"true" doc:"L4 nodes"`
	Seed uint64            `json:"seed,omitempty" arg:"2" doc:"of the foreign entries; 0 without it"`
}

// Spelling implements Spelled.
func (f ExhaustConnections) Spelling() error { return f.On.Check() }

// Kind implements Fault.
func (ExhaustConnections) Kind() string { return "exhaust-connections" }

func (f ExhaustConnections) String() string {
	return fmt.Sprintf("the connection table of %s is full", f.On)
}

// Touches implements Fault.
func (f ExhaustConnections) Touches(t Target) []topology.Ref { return refs(t, f.On) }

// Claims implements Claimer.
func (f ExhaustConnections) Claims(t Target) []Claim {
	var out []Claim
	for _, m := range t.Machines(f.On) {
		out = append(out, Claim(fmt.Sprintf("the connection table of %s", m.Ref())))
	}
	return out
}

// Survey implements Surveyor.
func (ExhaustConnections) Survey(t Target) error {
	for _, m := range t.Machines("**") {
		if _, err := m.ConnTable(0); err == nil {
			return nil
		}
	}
	return &Unavailable{Fault: "exhaust-connections", Machine: true, Why: "no node of this lab has a connection table"}
}

// Check implements Fault.
func (f ExhaustConnections) Check(t Target) error {
	machines, err := selected(t, f, f.On)
	if err != nil {
		return err
	}
	for _, m := range machines {
		table, err := m.ConnTable(f.Seed)
		if err != nil {
			return unavailable(f, "%v", err)
		}
		if table.full() {
			return unavailable(f, "that of %s has %d entries of %d as it is", m.Ref(), table.Entries, table.Capacity)
		}
	}
	return nil
}

// Apply implements Fault.
func (f ExhaustConnections) Apply(_ context.Context, t Target) error {
	return parallel(t.Machines(f.On), func(m Machine) error {
		if err := m.FillConns(f.Seed); err != nil {
			return err
		}
		table, err := m.ConnTable(f.Seed)
		if err != nil {
			return err
		}
		if !table.full() || table.Foreign == 0 {
			return fmt.Errorf("the connection table of %s has only %d entries of %d, %d of them foreign", m.Ref(), table.Entries, table.Capacity, table.Foreign)
		}
		return nil
	})
}

// Revert implements Fault.
func (f ExhaustConnections) Revert(_ context.Context, t Target) error {
	return parallel(t.Machines(f.On), func(m Machine) error {
		left, err := m.DrainConns(f.Seed)
		if left > 0 && err == nil {
			err = fmt.Errorf("%d foreign entries are left in the connection table of %s", left, m.Ref())
		}
		return err
	})
}
