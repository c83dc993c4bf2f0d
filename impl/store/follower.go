package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/unilb/unilb/impl/obs"
)

// ErrEnded says that a Follower can tell no more.
var ErrEnded = errors.New("nobody follows the directory any more")

// hurry is how soon a member is asked again where it is while somebody waits for it; it
// doubles up to catchUpBeat.
const hurry = 500 * time.Microsecond

// A Follower tells what is in a directory and what becomes of it, as Watch does, to who
// remembers little of that: it keeps no list of keys. So when it would have to read the
// directory again (see ErrCompacted, and etcd restored from a backup) it ends instead, and
// who needs it begins anew. It rides out everything else.
//
// Its methods are safe for concurrent use.
type Follower struct {
	w    *watch
	take func(KV)
	stop context.CancelFunc
	keys atomic.Int64 // how many there are

	mu    sync.Mutex
	at    int64         // everything up to here was taken; 0: nobody knows how far the directory is
	moved chan struct{} // closed when at changes
	err   error         // why it ended; nil: it has not
	page  time.Time     // when a page of the first list was read last
	why   error         // that the next one was not
}

// Follow calls take, in one goroutine, with each key of the directory prefix (see List),
// read page by page, and then with each change in their order; Create is 0 when a key was
// deleted. It goes on until Stop, or until the Store is closed.
func (s *Store) Follow(prefix string, take func(KV)) *Follower {
	ctx, stop := context.WithCancel(s.c.Ctx())
	f := &Follower{take: take, stop: stop, moved: make(chan struct{})}
	f.w = &watch{s: s, prefix: prefix, handed: newVersions(), follower: f}
	go func() {
		defer stop()
		err := f.list(ctx)
		if err == nil {
			err = f.w.forever(ctx)
		}
		if f.w.why != nil {
			err = f.w.why
		}
		f.move(0, fmt.Errorf("%w: %w", ErrEnded, err))
	}()
	return f
}

// list takes the directory as it is. What was taken cannot be taken back: so it goes on
// where it was interrupted, at the same revision, and gives up when that is gone.
func (f *Follower) list(ctx context.Context) error {
	var newest KV
	r := f.w.s.reading(f.w.prefix, 0)
	delay := retryMin
	for more := true; more; {
		var err error
		more, err = r.page(ctx, func(kv KV, _ int64) {
			f.take(kv)
			f.keys.Add(1)
			if kv.Mod > newest.Mod {
				newest = kv
			}
		})
		f.read(err)
		switch {
		case err == nil:
			delay = retryMin
			continue
		case errors.Is(err, rpctypes.ErrCompacted):
			return ErrCompacted
		case errors.Is(err, rpctypes.ErrFutureRev):
			return errReplaced
		}
		f.w.s.log.Warn("reading interrupted", obs.Prefix, f.w.prefix, obs.Rev, r.at.revision, obs.Err, err)
		if !pause(ctx, delay/2+rand.N(delay/2+1)) {
			return ctx.Err()
		}
		more, delay = true, min(2*delay, retryMax)
	}
	f.w.at = r.at
	f.w.handed.only(newest)
	return nil
}

// told takes an event and remembers it as the last one.
func (f *Follower) told(e *clientv3.Event) {
	kv := fromPB(e.Kv)
	f.take(kv)
	f.w.handed.only(kv)
	switch {
	case e.IsCreate():
		f.keys.Add(1)
	case e.Type == clientv3.EventTypeDelete:
		f.keys.Add(-1)
	}
}

// Len is how many keys the directory has, as far as it is taken.
func (f *Follower) Len() int { return int(f.keys.Load()) }

// Stop ends it. A change may still be taken afterwards.
func (f *Follower) Stop() { f.stop() }

// ReachAll waits until everything is taken that was written to the directories of all up to
// revision rev, which the cluster must have reached, and returns up to which revision that
// is so. The error wraps ErrEnded when one has ended, and is an *UnavailableError when no
// member tells in time, for all together. As long as a directory is being read for the
// first time and pages of it come, there is time.
func ReachAll(ctx context.Context, rev int64, all ...*Follower) (at int64, err error) {
	heard := time.Now()
	for i, f := range all {
		upTo, err := f.reach(ctx, rev, &heard)
		if err != nil {
			return 0, err
		}
		if i == 0 || upTo < at {
			at = upTo
		}
	}
	return at, nil
}

// Reach is ReachAll of one.
func (f *Follower) Reach(ctx context.Context, rev int64) (at int64, err error) {
	return ReachAll(ctx, rev, f)
}

// reach is ReachAll of one that has until patience after heard, which a page that was read
// since moves on.
func (f *Follower) reach(ctx context.Context, rev int64, heard *time.Time) (int64, error) {
	s := f.w.s
	for again := hurry; ; again = min(2*again, catchUpBeat) {
		f.mu.Lock()
		at, moved, ended, page, why := f.at, f.moved, f.err, f.page, f.why
		f.mu.Unlock()
		if page.After(*heard) {
			*heard = page
		}
		left := s.patience - time.Since(*heard)
		switch {
		case ended != nil:
			return 0, ended
		case at >= rev && at > 0:
			return at, nil
		case s.away():
			return 0, &UnavailableError{Op: "watch", Err: errAway}
		case left <= 0 && at > 0:
			return 0, &UnavailableError{Op: "watch", Err: errLagging}
		case left <= 0:
			return 0, &UnavailableError{Op: "watch", Err: cmp.Or(why, errSilent)}
		case at > 0:
			// What was written elsewhere moved the cluster on, of which no event tells.
			s.askProgress(ctx)
		}
		late := time.NewTimer(min(again, left))
		select {
		case <-moved:
		case <-late.C:
		case <-ctx.Done():
			late.Stop()
			return 0, &UnavailableError{Op: "watch", Err: ctx.Err()}
		}
		late.Stop()
	}
}

// read notes that a page of the first list was read, or why it was not.
func (f *Follower) read(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.why = err
	if err == nil {
		f.page = time.Now()
	}
}

// move says how far it is, or why it has ended.
func (f *Follower) move(at int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at == at && err == nil {
		return
	}
	f.at, f.err = at, err
	close(f.moved)
	f.moved = make(chan struct{})
}

// reached tells a follower how far the watch is; 0: nobody knows.
func (w *watch) reached(rev int64) {
	if w.follower != nil {
		w.follower.move(rev, nil)
	}
}

// askProgress asks the member of all watches where it is, unless that was just done.
func (s *Store) askProgress(ctx context.Context) {
	s.streams.mu.Lock()
	st := s.streams.now
	s.streams.mu.Unlock()
	if st == nil {
		return
	}
	ctx, cancel := st.within(ctx)
	defer cancel()
	st.request(ctx, hurry)
}
