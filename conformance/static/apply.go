package static

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/model"
)

// Settle is how long writes must have been quiet before they are brought into
// force without anybody waiting for it.
const Settle = 50 * time.Millisecond

// RoundTimeout is how long bringing one revision into force may take: less than
// those wait who want it in force, so that they hear why it is not.
const RoundTimeout = 25 * time.Second

// A Site brings objects into force: it returns when every gateway serves them and
// nothing older any more, or why one does not. A configuration that a gateway does
// not take is *spec.Refused, and what was in force stays.
type Site func(ctx context.Context, rev int64, objects []model.Object) error

// An Applier brings a store's objects into force, one revision after the other.
type Applier struct {
	store *Store
	site  Site
	now   chan struct{} // somebody waits
	stop  context.CancelFunc
	done  chan struct{}

	mu      sync.Mutex
	inForce int64
	tried   int64 // newest revision that was tried
	err     error // what became of it
	round   chan struct{}
	wanted  int64 // newest revision that somebody waits for
}

// NewApplier begins to bring the store's changes into force; Close ends it.
func NewApplier(store *Store, site Site) *Applier {
	ctx, stop := context.WithCancel(context.Background())
	a := &Applier{store: store, site: site, now: make(chan struct{}, 1), stop: stop, done: make(chan struct{}), round: make(chan struct{})}
	_, a.inForce, _ = store.Objects()
	a.tried = a.inForce
	go a.run(ctx)
	return a
}

// Close ends the work, also what is under way.
func (a *Applier) Close() {
	a.stop()
	<-a.done
}

// Wait returns when everything up to the revision is in force, or why it is not.
// 0 is the newest.
func (a *Applier) Wait(ctx context.Context, rev int64) error {
	if rev == 0 {
		_, rev, _ = a.store.Objects()
	}
	for {
		a.mu.Lock()
		a.wanted = max(a.wanted, rev)
		inForce, tried, err, round := a.inForce, a.tried, a.err, a.round
		a.mu.Unlock()
		if inForce >= rev {
			return nil
		}
		if tried >= rev {
			return err
		}
		select {
		case a.now <- struct{}{}:
		default: // it has been told
		}
		select {
		case <-round:
		case <-a.done:
			return fmt.Errorf("revision %d: the testbed ends", rev)
		case <-ctx.Done():
			if err != nil {
				return fmt.Errorf("revision %d: %w; of revision %d before it: %s", rev, context.Cause(ctx), tried, err.Error())
			}
			return fmt.Errorf("revision %d: %w", rev, context.Cause(ctx))
		}
	}
}

func (a *Applier) run(ctx context.Context) {
	defer close(a.done)
	for {
		objects, rev, changed := a.store.Objects()
		a.mu.Lock()
		tried, wanted := a.tried, a.wanted
		a.mu.Unlock()
		if tried >= rev {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return
			}
		}
		if wanted < rev && !a.settled(ctx, rev, changed) {
			if ctx.Err() != nil {
				return
			}
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, RoundTimeout)
		err := a.site(bounded, rev, objects)
		cancel()
		a.mu.Lock()
		if a.tried, a.err = rev, err; err == nil {
			a.inForce = rev
		}
		close(a.round)
		a.round = make(chan struct{})
		a.mu.Unlock()
	}
}

// settled waits until nothing changes any more or somebody waits for the revision;
// false means that there is something newer.
func (a *Applier) settled(ctx context.Context, rev int64, changed <-chan struct{}) bool {
	quiet := time.NewTimer(Settle)
	defer quiet.Stop()
	for {
		select {
		case <-quiet.C:
			return true
		case <-a.now:
			a.mu.Lock()
			wanted := a.wanted
			a.mu.Unlock()
			if wanted >= rev {
				return true
			}
		case <-changed:
			return false
		case <-ctx.Done():
			return false
		}
	}
}
