package lab

import (
	"context"
	"fmt"
	"slices"

	"github.com/unilb/unilb/sim/fault"
)

// Inject applies a fault and returns when it has taken hold. The error is
// *fault.Unavailable when it cannot be done here.
func (l *Lab) Inject(ctx context.Context, f fault.Fault) (*fault.Active, error) {
	return l.InjectAs(ctx, f, "")
}

// InjectAs does the same with a fault that the history knows by a name.
func (l *Lab) InjectAs(ctx context.Context, f fault.Fault, name string) (*fault.Active, error) {
	l.mu.Lock()
	if l.down {
		l.mu.Unlock()
		return nil, ErrDown
	}
	l.faults++
	id := fmt.Sprintf("f%d", l.faults)
	l.mu.Unlock()
	a, err := fault.Inject(ctx, target{l}, l.ledger, l.rec, id, name, f)
	if a != nil {
		// Also one that failed half-way and could not be reverted: it is to be
		// healed like any other.
		l.mu.Lock()
		l.active = append(l.active, a)
		l.mu.Unlock()
	}
	if err != nil {
		return nil, err
	}
	l.event("fault", "", a.Fault().String())
	return a, nil
}

// Lacking says of each kind of fault that is impossible in this lab, whatever its
// target, why that is so.
func (l *Lab) Lacking() map[string]string {
	out := map[string]string{}
	for _, k := range fault.Kinds() {
		if why := fault.Lacking(k, target{l}); why != "" {
			out[k.Name] = why
		}
	}
	return out
}

// Active returns the faults that have not been healed, oldest first.
func (l *Lab) Active() []*fault.Active {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = slices.DeleteFunc(l.active, (*fault.Active).Healed)
	return slices.Clone(l.active)
}
