package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/sandbox"
)

// Down takes the lab down: processes first, then backends, wires and namespaces.
// Faults that are still active end with the lab. Later calls return the same.
func (l *Lab) Down(ctx context.Context) error {
	l.downed.Do(func() {
		l.mu.Lock()
		l.down = true
		active := slices.Clone(l.active)
		l.mu.Unlock()
		done := make(chan error, 1)
		go func() { done <- l.tearDown(active) }()
		select {
		case l.err = <-done:
		case <-ctx.Done():
			l.err = fmt.Errorf("take down %s: %w", l.plan.Lab, context.Cause(ctx))
		}
	})
	return l.err
}

// tearDown frees everything. The kernel removes links and addresses with the
// namespaces, in one go: removing them one by one takes twenty times as long.
func (l *Lab) tearDown(active []*fault.Active) error {
	var errs []error
	for _, a := range slices.Backward(active) {
		errs = append(errs, a.Abandon())
	}
	for _, e := range l.edges {
		e.close()
	}
	for _, n := range l.order {
		n.disk.hurry()
	}
	if l.runner != nil {
		errs = append(errs, l.runner.Close())
	}
	for _, n := range l.order {
		n.stopEchoes()
	}
	for _, w := range l.wires {
		errs = append(errs, w.Close())
	}
	for _, n := range l.order {
		errs = append(errs, n.close())
	}
	if l.ledger != nil {
		errs = append(errs, l.ledger.Close())
	}
	errs = append(errs, removePins(l.order), removeDisks(l.order), l.removePlaces())
	return errors.Join(errs...)
}

// removePlaces removes the directories that hold nothing any more: the lab's own,
// and those above them that no other lab of the sandbox uses.
func (l *Lab) removePlaces() error {
	ready, rooms := filepath.Join(sandbox.Dir, "ready"), filepath.Join(sandbox.Dir, "disk")
	var errs []error
	for _, root := range []string{diskDir, sandbox.BPF, ready, rooms} {
		errs = append(errs, os.RemoveAll(filepath.Join(root, l.plan.Lab)))
	}
	for _, root := range []string{diskDir, ready, rooms} {
		_ = os.Remove(root) // not while another lab has something there
	}
	return errors.Join(errs...)
}

func (l *Lab) isDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down
}
