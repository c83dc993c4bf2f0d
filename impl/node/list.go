package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/unilb/unilb/impl/store"
)

// ErrNotRegistered says that nobody is registered under a name.
var ErrNotRegistered = errors.New("no such node is registered")

// asksAtOnce is how many nodes List asks at a time.
const asksAtOnce = 64

// Registered is a node as etcd knows it, and whether it lives.
type Registered struct {
	Registration
	Report  Report // the last; the zero Report: there is none
	Answers bool   // its status listener answers under its name
	Silence string // why it does not
}

// Registry is the part of the store that List and Remove need.
type Registry interface {
	Get(ctx context.Context, key string) (kv store.KV, ok bool, rev int64, err error)
	List(ctx context.Context, prefix string) (kvs []store.KV, rev int64, err error)
	Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (rev int64, err error)
}

// List returns the registered nodes of a kind, or of all kinds ("") ordered by their
// keys, and asks each whether it lives.
func (c *Client) List(ctx context.Context, st Registry, kind string) ([]Registered, error) {
	regs, _, err := st.List(ctx, strings.TrimSuffix(RegistryPrefix+kind, "/"))
	if err != nil {
		return nil, fmt.Errorf("list registrations: %w", err)
	}
	reports, _, err := st.List(ctx, strings.TrimSuffix(ReportPrefix+kind, "/"))
	if err != nil {
		return nil, fmt.Errorf("list reports: %w", err)
	}
	said := make(map[string]Report, len(reports))
	for _, kv := range reports {
		if r, err := ParseReport(kv.Value); err == nil {
			said[kv.Key] = r
		}
	}
	var all []Registered
	for _, kv := range regs {
		// Nobody waits for what nobody can read.
		if reg, err := ParseRegistration(kv.Value); err == nil {
			all = append(all, Registered{Registration: reg, Report: said[ReportKey(reg.Kind, reg.Name)]})
		}
	}
	var wg sync.WaitGroup
	places := make(chan struct{}, asksAtOnce)
	for i := range all {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			_, err := c.Instance(ctx, all[i].Registration)
			if all[i].Answers = err == nil; err != nil {
				all[i].Silence = err.Error()
			}
		})
	}
	wg.Wait()
	return all, nil
}

// Remove takes a node out of the region for good: its registration and its report, in
// one transaction. Who waits until a change is in force everywhere does not wait for it
// any more. It refuses when the node still answers: that would register again.
// ErrNotRegistered says that there is none.
func (c *Client) Remove(ctx context.Context, st Registry, kind, name string) error {
	key := RegistryKey(kind, name)
	kv, ok, _, err := st.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("read the registration of %s/%s: %w", kind, name, err)
	}
	reg, err := ParseRegistration(kv.Value)
	if !ok || err != nil || reg.Kind != kind || reg.Name != name {
		return fmt.Errorf("%s/%s: %w", kind, name, ErrNotRegistered)
	}
	if _, err := c.Instance(ctx, reg); err == nil {
		return fmt.Errorf("%s/%s still answers at %s, and would register again: stop it first", kind, name, reg.Status)
	}
	if _, err := st.Commit(ctx, []store.Cond{{Key: key, Mod: kv.Mod}}, store.Op{Key: key, Delete: true}, store.Op{Key: ReportKey(kind, name), Delete: true}); err != nil {
		return fmt.Errorf("remove %s/%s: %w", kind, name, err)
	}
	return nil
}
