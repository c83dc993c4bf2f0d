package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

const (
	// reportPause is the shortest time between two reports of a node: a region
	// of hundreds of nodes must not keep etcd busy with its own progress.
	reportPause = 500 * time.Millisecond
	// retryPause separates attempts while etcd is away.
	retryPause = time.Second
)

// Run registers the node, trying until it succeeds, and then keeps its report
// and its registration current until ctx ends; it returns the error of ctx, or
// at once when the registration is invalid. From time to time it compares what is in
// force here with what other nodes of the kind report. A node that was registered as
// draining stays so. When the registration of a running node disappears, it is
// written again: a node that does work must be counted. Stop a node before
// removing it.
func (n *Node) Run(ctx context.Context) error {
	if err := n.reg.Validate(); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	if err := n.registerUntil(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { n.watchRegistration(ctx) })
	wg.Go(func() { n.compareUntil(ctx) })
	n.reportUntil(ctx)
	wg.Wait()
	return ctx.Err()
}

func (n *Node) registerUntil(ctx context.Context) error {
	for {
		err := n.register(ctx)
		if err == nil {
			return nil
		}
		n.log.Warn("not registered yet", obs.Err, err)
		if !pause(ctx, retryPause) {
			return ctx.Err()
		}
	}
}

// register writes the registration unless it is there already; only the state
// is taken over from what is there. Another process that lives keeps the name until it
// ends: of two that wrote over each other nobody could tell which one counts.
func (n *Node) register(ctx context.Context) error {
	key := RegistryKey(n.reg.Kind, n.reg.Name)
	kv, ok, _, err := n.st.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	reg := n.reg
	if ok {
		// A registration that nobody can read is replaced.
		if old, err := ParseRegistration(kv.Value); err == nil {
			reg.State = old.State
			if err := n.alone(ctx, old); err != nil {
				return err
			}
		}
	}
	value, err := json.Marshal(reg)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	if !ok || !bytes.Equal(value, kv.Value) {
		// The condition keeps a state that was set meanwhile.
		if _, err := n.st.Commit(ctx, []store.Cond{{Key: key, Mod: kv.Mod}}, store.Op{Key: key, Value: value}); err != nil {
			return fmt.Errorf("register: %w", err)
		}
	}
	n.setDrained(reg.State == Draining)
	return nil
}

// alone reports whether a registration, as it is, is of another process that lives. One
// at our own address is not asked: it is of this process, or of one before it.
func (n *Node) alone(ctx context.Context, old Registration) error {
	if old.Status == n.reg.Status {
		return nil
	}
	if instance, err := n.ask(ctx, old); err != nil || instance == n.instance {
		return nil // nobody answers under our name, or we do under two addresses
	}
	return fmt.Errorf("register: another process is %s/%s, at %s: give each a name of its own", old.Kind, old.Name, old.Status)
}

func (n *Node) setDrained(drained bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.drained != drained {
		n.drained = drained
		n.notify()
	}
}

// watchRegistration follows the state that operators write into the
// registration.
func (n *Node) watchRegistration(ctx context.Context) {
	key := RegistryKey(n.reg.Kind, n.reg.Name)
	_ = n.st.Watch(ctx, path.Dir(key), func(b store.Batch) {
		found, gone := false, b.Reset
		for _, kv := range b.Puts {
			if kv.Key != key {
				continue
			}
			found = true
			if reg, err := ParseRegistration(kv.Value); err != nil {
				n.log.Warn("registration is unreadable", obs.Err, err)
			} else {
				n.setDrained(reg.State == Draining)
			}
		}
		for _, k := range b.Deletes {
			gone = gone || k == key
		}
		if gone && !found && ctx.Err() == nil {
			n.log.Warn("registration is gone, registering again")
			_ = n.registerUntil(ctx)
		}
	})
}

// reportUntil writes the report at once after a change, then at most twice a
// second, until ctx ends.
func (n *Node) reportUntil(ctx context.Context) {
	if n.held != nil {
		select {
		case <-n.held:
		case <-ctx.Done():
			return
		}
	}
	key := ReportKey(n.reg.Kind, n.reg.Name)
	var written []byte
	for {
		report, changed := n.report()
		value, err := json.Marshal(report)
		if err == nil && !bytes.Equal(value, written) {
			_, err = n.st.Commit(ctx, nil, store.Op{Key: key, Value: value})
			wait := reportPause
			if err != nil {
				if ctx.Err() != nil {
					return
				}
				n.log.Warn("report not written", obs.Err, err)
				wait, changed = retryPause, nil
			} else {
				written = value
			}
			if !pause(ctx, wait) {
				return
			}
			if changed == nil {
				continue
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// pause waits for d and reports whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
