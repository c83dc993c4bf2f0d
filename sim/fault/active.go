package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// revertLimit is how long the revert of a fault whose Apply failed may take.
const revertLimit = 30 * time.Second

// A Recorder takes the windows of faults; *history.Recorder is one.
type Recorder interface {
	Now() time.Duration
	Fault(history.FaultWindow)
}

// An Active is a fault that has been applied.
type Active struct {
	id, name string
	fault    Fault
	target   Target
	ledger   *Ledger
	recorder Recorder
	touches  []topology.Ref
	encoded  []byte

	healing sync.Mutex // one Revert at a time; it may take long, and is not waited for to look

	mu     sync.Mutex
	window history.Window
	healed bool
}

// Inject checks a fault, decides what it leaves open, writes it to the ledger and
// applies it. ID is unique in the ledger; name is what a scenario calls the fault,
// and may be empty. A fault that would get in the way of an active one is refused
// (see Claimer). When applying fails the fault is reverted, with a context of its
// own, before Inject returns; when that fails, too, the Active comes with the error
// and is still to be healed.
func Inject(ctx context.Context, t Target, l *Ledger, r Recorder, id, name string, f Fault) (*Active, error) {
	if err := l.claim(id, f, t); err != nil {
		return nil, err
	}
	a, err := inject(ctx, t, l, r, id, name, f)
	if a == nil {
		l.release(id)
	}
	return a, err
}

func inject(ctx context.Context, t Target, l *Ledger, r Recorder, id, name string, f Fault) (*Active, error) {
	if err := f.Check(t); err != nil {
		return nil, err
	}
	if r, ok := f.(Resolver); ok {
		decided, err := r.Resolve(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("decide %q: %w", f, err)
		}
		f = decided
		if err := l.claim(id, f, t); err != nil {
			return nil, err
		}
	}
	encoded, err := Encode(f)
	if err != nil {
		return nil, err
	}
	a := &Active{id: id, name: name, fault: f, target: t, ledger: l, recorder: r, encoded: encoded, touches: f.Touches(t)}
	a.window.From = r.Now()
	if err := a.write(Applying); err != nil {
		return nil, err
	}
	if err := f.Apply(ctx, t); err != nil {
		err = fmt.Errorf("apply %q: %w", f, err)
		fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), revertLimit)
		defer cancel()
		if herr := a.Heal(fresh); herr != nil {
			return a, errors.Join(err, herr)
		}
		return nil, err
	}
	a.record()
	return a, a.write(Applied)
}

// ID is the fault's name in the ledger.
func (a *Active) ID() string { return a.id }

// Fault is what was applied.
func (a *Active) Fault() Fault { return a.fault }

// Touches are the nodes that the fault changes.
func (a *Active) Touches() []topology.Ref { return a.touches }

// Healed reports whether the fault has been reverted.
func (a *Active) Healed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.healed
}

// Window is the time from the beginning of Apply to the end of Revert on the run's
// clock; it has no end while the fault is active.
func (a *Active) Window() history.Window {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.window
}

// Heal reverts the fault. After a success later calls do nothing; after a failure
// they try again.
func (a *Active) Heal(ctx context.Context) error {
	a.healing.Lock()
	defer a.healing.Unlock()
	if a.Healed() {
		return nil
	}
	if err := a.fault.Revert(ctx, a.target); err != nil {
		return fmt.Errorf("revert %q: %w", a.fault, err)
	}
	return a.Abandon()
}

// HealAll reverts faults together. What active faults change is apart (see
// Claimer), so the order does not matter; but the end of one revert may need
// another one, as a process that is started again does that gets ready only when a
// partition is gone. The errors are in the order of the faults.
func HealAll(ctx context.Context, active []*Active) error {
	return parallel(active, func(a *Active) error { return a.Heal(ctx) })
}

// Abandon closes the window of a fault that is reverted, or whose target is about
// to vanish as a whole. It does not wait for a Heal that is under way.
func (a *Active) Abandon() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.healed {
		return nil
	}
	a.healed = true
	a.ledger.release(a.id)
	a.window.To = a.recorder.Now()
	a.record()
	return a.writeAt(Reverted, a.window.To)
}

func (a *Active) write(s State) error { return a.writeAt(s, a.recorder.Now()) }

func (a *Active) writeAt(s State, at time.Duration) error {
	return a.ledger.Write(Entry{ID: a.id, State: s, At: at, Text: a.fault.String(), Fault: a.encoded})
}

func (a *Active) record() {
	a.recorder.Fault(history.FaultWindow{
		Window: a.window, ID: a.id, Name: a.name, Kind: a.fault.Kind(), Text: a.fault.String(), Targets: a.touches,
	})
}
