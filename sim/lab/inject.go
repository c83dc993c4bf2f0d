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
	if err != nil {
		return nil, err
	}
	l.event("fault", "", f.String())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = append(l.active, a)
	return a, nil
}

// Active returns the faults that have not been healed, oldest first.
func (l *Lab) Active() []*fault.Active {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = slices.DeleteFunc(l.active, (*fault.Active).Healed)
	return slices.Clone(l.active)
}
