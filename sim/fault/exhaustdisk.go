package fault

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/topology"
)

// ExhaustDisk leaves the disks of nodes no room: whatever needs another page fails
// with ENOSPC, and what was written stays. etcd ends when its database must grow;
// until then it goes on in the room that it has reserved. It raises no alarm, for
// that is about the size of its database and not about the disk, so there is none
// to disarm. Revert gives the room back and starts again what has ended.
type ExhaustDisk struct {
	On topology.Selector `json:"on" arg:"1" need:"true" doc:"nodes with processes"`
	// Sizes of the disks before, in bytes, and what ran on each node; Resolve
	// notes them.
	Sizes map[topology.Ref]int64    `json:"sizes,omitempty" yaml:"-"`
	Ran   map[topology.Ref][]string `json:"ran,omitempty" yaml:"-"`
}

// Spelling implements Spelled.
func (f ExhaustDisk) Spelling() error { return f.On.Check() }

// Kind implements Fault.
func (ExhaustDisk) Kind() string { return "exhaust-disk" }

func (f ExhaustDisk) String() string { return fmt.Sprintf("the disk of %s is full", f.On) }

// Touches implements Fault.
func (f ExhaustDisk) Touches(t Target) []topology.Ref { return refs(t, f.On) }

// Claims implements Claimer: what ends for want of room is started by Revert.
func (f ExhaustDisk) Claims(t Target) []Claim {
	out := processClaims(t, f.On, "")
	for _, m := range t.Machines(f.On) {
		out = append(out, DiskClaim(m.Ref()))
	}
	return out
}

// Check implements Fault.
func (f ExhaustDisk) Check(t Target) error { return needDisk(t, f, f.On) }

// Resolve implements Resolver.
func (f ExhaustDisk) Resolve(_ context.Context, t Target) (Fault, error) {
	f.Sizes, f.Ran = map[topology.Ref]int64{}, runningOn(t.Machines(f.On))
	for _, m := range t.Machines(f.On) {
		size, err := m.DiskSize()
		if err != nil {
			return nil, err
		}
		f.Sizes[m.Ref()] = size
	}
	return f, nil
}

// Apply implements Fault.
func (f ExhaustDisk) Apply(ctx context.Context, t Target) error {
	return parallel(t.Machines(f.On), func(m Machine) error {
		if err := m.FillDisk(); err != nil {
			return err
		}
		got, err := m.TryDisk(ctx)
		switch {
		case err != nil:
			return err
		case got.Err == nil:
			return fmt.Errorf("the disk of %s still has room", m.Ref())
		case !got.Full:
			return fmt.Errorf("the disk of %s fails, but not for want of room: %w", m.Ref(), got.Err)
		}
		return nil
	})
}

// Revert implements Fault.
func (f ExhaustDisk) Revert(ctx context.Context, t Target) error {
	machines := t.Machines(f.On)
	err := parallel(machines, func(m Machine) error {
		size, ok := f.Sizes[m.Ref()]
		if !ok {
			return fmt.Errorf("nobody has noted the size of the disk of %s", m.Ref())
		}
		if err := m.ResizeDisk(size); err != nil {
			return err
		}
		return mended(ctx, m)
	})
	if err != nil {
		return err
	}
	return restart(ctx, machines, f.Ran)
}
