package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unilb/unilb/topology"
)

// Pins are the eBPF objects that a process has pinned, so that forwarding goes on
// without it.
type Pins interface {
	Pins(process string) ([]Pin, error) // nothing for a process that pins nothing
	RemovePins(process string) error
	// Linked reports whether a link lives: its program is attached.
	Linked(id uint32) (bool, error)
}

// A Pin is one pinned object.
type Pin struct {
	Path string
	Link uint32 // id of a link, 0 for maps and programs
	Live bool   // it is a link to a device that is there
}

// PinLoss ends a process and removes what it has pinned, as somebody who wipes
// the bpffs of a machine whose agent is dead: with the last holder of a link its
// program leaves the device, and with that of a map its entries are gone. Revert
// starts the process, which begins from nothing.
type PinLoss struct {
	On      topology.Selector `json:"on" arg:"1" need:"true" doc:"nodes"`
	Process string            `json:"process,omitempty" arg:"2" doc:"lbc-agent or l4lb; whatever of the node has pins without it"`

	Was []Pinned `json:"was,omitempty" yaml:"-"` // decided by Resolve
}

// Pinned is what a process had.
type Pinned struct {
	Node    topology.Ref `json:"node"`
	Process string       `json:"process"`
	Pins    int          `json:"pins"`
	Links   []uint32     `json:"links"` // ids of those that were attached
}

// Spelling implements Spelled.
func (f PinLoss) Spelling() error { return f.On.Check() }

// Kind implements Fault.
func (PinLoss) Kind() string { return "pin-loss" }

func (f PinLoss) String() string {
	return fmt.Sprintf("%s on %s dies and loses its pins", named(f.Process), f.On)
}

// Touches implements Fault.
func (f PinLoss) Touches(t Target) []topology.Ref { return refs(t, f.On) }

// Claims implements Claimer: whether those that have pins run.
func (f PinLoss) Claims(t Target) []Claim {
	was := f.Was
	if was == nil {
		was, _ = f.pinned(t) // Check says why it cannot be known
	}
	var out []Claim
	for _, p := range was {
		out = append(out, ProcessClaim(p.Node, p.Process))
	}
	return out
}

// Survey implements Surveyor.
func (PinLoss) Survey(t Target) error {
	if len((PinLoss{On: "**"}).Claims(t)) == 0 {
		return &Unavailable{Fault: "pin-loss", Machine: true, Why: "no process of this lab has pinned anything"}
	}
	return nil
}

// Check implements Fault.
func (f PinLoss) Check(t Target) error {
	if err := needProcess(t, f, f.On, f.Process); err != nil {
		return err
	}
	all, err := f.pinned(t)
	if err != nil {
		return unavailable(f, "%v", err)
	}
	links := 0
	for _, p := range all {
		links += len(p.Links)
	}
	if links == 0 {
		return unavailable(f, "%s on %s has no program attached by a pin", named(f.Process), f.On)
	}
	return nil
}

// Resolve implements Resolver: it keeps what was pinned.
func (f PinLoss) Resolve(_ context.Context, t Target) (Fault, error) {
	var err error
	f.Was, err = f.pinned(t)
	return f, err
}

// pinned returns the processes that have pins.
func (f PinLoss) pinned(t Target) ([]Pinned, error) {
	var out []Pinned
	err := each(t, f.On, f.Process, func(m Machine, name string) error {
		pins, err := m.Pins(name)
		if len(pins) > 0 {
			out = append(out, Pinned{Node: m.Ref(), Process: name, Pins: len(pins), Links: live(pins)})
		}
		return err
	})
	return out, err
}

func live(pins []Pin) []uint32 {
	var out []uint32
	for _, p := range pins {
		if p.Live {
			out = append(out, p.Link)
		}
	}
	return out
}

// The bounds of the probes. A link ends after the kernel's grace period, and a
// process attaches its programs when it knows what to forward.
const (
	detachLimit = 10 * time.Second
	attachLimit = 15 * time.Second
)

// Apply implements Fault.
func (f PinLoss) Apply(ctx context.Context, t Target) error {
	return f.each(t, func(m Machine, was Pinned) error {
		if err := m.Kill(was.Process); err != nil {
			return err
		}
		if err := m.RemovePins(was.Process); err != nil {
			return err
		}
		pins, err := m.Pins(was.Process)
		if err != nil {
			return err
		}
		if len(pins) > 0 || m.Running(was.Process) {
			return fmt.Errorf("%s on %s: runs %t, with %d pins", was.Process, m.Ref(), m.Running(was.Process), len(pins))
		}
		return await(ctx, detachLimit, func() error {
			for _, id := range was.Links {
				if on, err := m.Linked(id); on || err != nil {
					return errors.Join(fmt.Errorf("a program of %s on %s is still attached", was.Process, m.Ref()), err)
				}
			}
			return nil
		})
	})
}

// Revert implements Fault.
func (f PinLoss) Revert(ctx context.Context, t Target) error {
	return f.each(t, func(m Machine, was Pinned) error {
		if err := m.Start(ctx, was.Process); err != nil {
			return err
		}
		return await(ctx, attachLimit, func() error {
			pins, err := m.Pins(was.Process)
			if err != nil || len(pins) < was.Pins || len(live(pins)) < len(was.Links) {
				return errors.Join(fmt.Errorf("%s on %s has %d pins and %d programs attached, before %d and %d",
					was.Process, m.Ref(), len(pins), len(live(pins)), was.Pins, len(was.Links)), err)
			}
			return nil
		})
	})
}

// each calls do for all that had pins, at once, and joins the errors.
func (f PinLoss) each(t Target, do func(Machine, Pinned) error) error {
	return parallel(t.Machines(f.On), func(m Machine) error {
		var errs []error
		for _, was := range f.Was {
			if was.Node == m.Ref() {
				errs = append(errs, do(m, was))
			}
		}
		return errors.Join(errs...)
	})
}
