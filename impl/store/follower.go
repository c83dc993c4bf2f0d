package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
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
	keys int64 // how many there are; of the goroutine

	mu    sync.Mutex
	at    int64         // everything up to here was taken; 0: nobody knows how far the directory is
	moved chan struct{} // closed when at changes
	err   error         // why it ended; nil: it has not
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

// list takes the directory as it is.
func (f *Follower) list(ctx context.Context) (err error) {
	var newest KV
	f.w.at, err = f.w.s.pages(ctx, f.w.prefix, 0, func(kv KV, _ int64) {
		f.take(kv)
		f.keys++
		if kv.Mod > newest.Mod {
			newest = kv
		}
	})
	f.w.handed.only(newest)
	return err
}

// told takes an event and remembers it as the last one.
func (f *Follower) told(e *clientv3.Event) {
	kv := fromPB(e.Kv)
	f.take(kv)
	f.w.handed.only(kv)
	switch {
	case e.IsCreate():
		f.keys++
	case e.Type == clientv3.EventTypeDelete:
		f.keys--
	}
}

// Stop ends it. A change may still be taken afterwards.
func (f *Follower) Stop() { f.stop() }

// Reach waits until everything is taken that was written to the directory up to revision
// rev, which the cluster must have reached, and returns up to which revision that is so.
// The error wraps ErrEnded when it has ended, and is an *UnavailableError when no member
// tells in time.
func (f *Follower) Reach(ctx context.Context, rev int64) (at int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for again := hurry; ; again = min(2*again, catchUpBeat) {
		f.mu.Lock()
		at, moved, err := f.at, f.moved, f.err
		f.mu.Unlock()
		switch {
		case err != nil:
			return 0, err
		case at >= rev && at > 0:
			return at, nil
		case f.w.s.away():
			return 0, &UnavailableError{Op: "watch", Err: errAway}
		case at > 0:
			// What was written elsewhere moved the cluster on, of which no event tells.
			f.w.s.askProgress(ctx)
		}
		late := time.NewTimer(again)
		select {
		case <-moved:
		case <-late.C:
		case <-ctx.Done():
			return 0, &UnavailableError{Op: "watch", Err: errLagging}
		}
		late.Stop()
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
