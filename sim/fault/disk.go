package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unilb/unilb/topology"
)

// A Disk is what a machine keeps its files on, if it runs anything.
type Disk interface {
	// HasDisk says whether there is one.
	HasDisk() bool
	// Slowable says why the disk cannot be slowed; nil when it can.
	Slowable() error
	// SlowDisk makes it so; the zero value makes the disk what it was.
	SlowDisk(Slowness) error
	// DiskSize is what fits on it, in bytes.
	DiskSize() (int64, error)
	// FillDisk takes away all the room that is left.
	FillDisk() error
	// SaveDisk keeps a copy of all files, in the place of the one before.
	SaveDisk() error
	// DiskSaved says whether there is a copy.
	DiskSaved() bool
	// RestoreDisk puts the copy in the place of what is on the disk.
	RestoreDisk() error
	// EmptyDisk removes all files.
	EmptyDisk() error
	// ResizeDisk takes back FillDisk.
	ResizeDisk(bytes int64) error
	// TryDisk writes a small file there and syncs it, as a process of the machine
	// would.
	TryDisk(context.Context) (DiskTrial, error)
}

// A Slowness is what a disk does to its users.
type Slowness struct {
	Fsync time.Duration // added to each fsync
	Write time.Duration // added to each write
	Fails string        // "EIO", "ENOSPC": what each write and fsync fails with; "": nothing
}

// A DiskTrial is what somebody saw who wrote to a disk.
type DiskTrial struct {
	Write, Fsync time.Duration // how long each took
	Err          error         // what the first of them that failed said
	Full         bool          // it said that no room is left
	Delayed      uint64        // operations that the disk has delayed so far, the trial's among them
}

// runningOn returns, by machine, the processes that run.
func runningOn(machines []Machine) map[topology.Ref][]string {
	out := map[topology.Ref][]string{}
	for _, m := range machines {
		for _, p := range m.ProcessNames() {
			if m.Running(p) {
				out[m.Ref()] = append(out[m.Ref()], p)
			}
		}
	}
	return out
}

// restart starts those processes again that have ended since, all at once.
func restart(ctx context.Context, machines []Machine, ran map[topology.Ref][]string) error {
	return parallel(machines, func(m Machine) error {
		return parallel(ran[m.Ref()], func(p string) error { return m.Start(ctx, p) })
	})
}

// needDisk returns *Unavailable when a selected machine keeps no files.
func needDisk(t Target, f Fault, on topology.Selector) error {
	machines, err := selected(t, f, on)
	if err != nil {
		return err
	}
	for _, m := range machines {
		if !m.HasDisk() {
			return unavailable(f, "nothing runs on %s, so it keeps nothing on a disk", m.Ref())
		}
	}
	return nil
}

// mended is the proof of a revert: a trial that nothing is wrong with.
func mended(ctx context.Context, m Machine) error {
	before, err := m.TryDisk(ctx) // whoever waited under the old rule is counted by now
	if err != nil {
		return err
	}
	after, err := m.TryDisk(ctx)
	switch {
	case err != nil:
		return err
	case errors.Join(before.Err, after.Err) != nil:
		return fmt.Errorf("the disk of %s still fails: %w", m.Ref(), errors.Join(before.Err, after.Err))
	case after.Delayed != before.Delayed:
		return fmt.Errorf("the disk of %s still delays", m.Ref())
	}
	return nil
}
