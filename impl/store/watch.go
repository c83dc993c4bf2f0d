package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/unilb/unilb/impl/obs"
)

const (
	// heartbeat is how often a watch asks the member to say where it is; after
	// silence without any answer the watch is opened anew, by another member if
	// there is one. A stream on a half-open connection looks like an idle one.
	heartbeat = time.Second
	silence   = 4 * time.Second
	// starvation is the same for one watch on a stream on which others are answered: as
	// long as a large directory may take to come up to date.
	starvation = 20 * time.Second
	// beginning bounds how long a member may take to begin a watch. One that is
	// down costs this much once.
	beginning = 2 * time.Second
	// catchUp bounds how long a member may lag behind what was handed out before
	// the watch leaves it for another; it is asked every catchUpBeat.
	catchUp     = time.Second
	catchUpBeat = 100 * time.Millisecond
	// retryMin and retryMax bound the pause between two attempts to list or to
	// watch; the pause doubles and is jittered by half.
	retryMin = 50 * time.Millisecond
	retryMax = 2 * time.Second
)

// A Batch is a step of a directory from one revision to a later one (or, after
// etcd was restored from a backup, to an earlier one).
type Batch struct {
	Prefix   string // as given to Watch
	Revision int64  // everything up to here is contained
	Reset    bool   // Puts is all there is; forget what was there before
	// Puts holds the newest version of each changed key, in the order of change
	// (in the order of keys after a list).
	Puts []KV
	// Deletes holds keys that were handed out before and are gone.
	Deletes []string
}

// Watch calls apply, one batch at a time, until ctx ends, and returns its error.
// The first batch has Reset set and holds everything in the directory prefix
// (see List). It rides out an unreachable etcd. After a compaction, and when
// etcd was restored from a backup or replaced, it lists again and hands over only
// the difference, in a batch that may be empty. After apply has returned,
// Revision is in force.
func (s *Store) Watch(ctx context.Context, prefix string, apply func(Batch)) error {
	w := &watch{s: s, prefix: prefix, apply: apply}
	return w.forever(ctx)
}

// WatchFrom is Watch for who has the directory's content already, as it was at some
// revision of this or another cluster: the first batch is how etcd differs from it,
// has no Reset, and may be empty.
func (s *Store) WatchFrom(ctx context.Context, prefix string, known []KV, apply func(Batch)) error {
	w := &watch{s: s, prefix: prefix, apply: apply, handed: newVersions(), stale: true}
	w.handed.replace(known)
	return w.forever(ctx)
}

// forever follows whichever member has its turn until ctx ends.
func (w *watch) forever(ctx context.Context) error {
	s, prefix := w.s, w.prefix
	s.reach.add(1)
	defer w.endDeaf()
	defer s.frontiers.forget(w)
	delay := retryMin
	for ctx.Err() == nil {
		progressed, err := w.run(ctx)
		w.hears(false)
		w.reached(0)
		if ctx.Err() != nil || w.follower != nil && w.stale {
			break
		}
		if err != nil {
			s.reach.failed(err)
		}
		s.log.Warn("watch interrupted", obs.Prefix, prefix, obs.Rev, w.at.revision, obs.Err, err)
		if progressed {
			delay = retryMin
		}
		if !pause(ctx, delay/2+rand.N(delay/2+1)) {
			break
		}
		delay = min(2*delay, retryMax)
	}
	return ctx.Err()
}

// Why a watch ended, as far as it matters for what comes next.
var (
	errReplaced = errors.New("the cluster's history went back: restored or replaced")
	errStrange  = errors.New("the member belongs to another cluster")
	errLagging  = errors.New("the member lags behind the cluster")
	errSilent   = errors.New("the member does not answer")
	errStarved  = errors.New("the member answers other watches only")
	errClosed   = errors.New("the stream was closed")
	errLeft     = errors.New("another watch has left the stream")
)

// watch is the state of one Watch call. It is used by one goroutine.
type watch struct {
	s      *Store
	prefix string
	apply  func(Batch)

	at     header    // what was handed out, and by which cluster
	handed *versions // nil: nothing was
	stale  bool      // the next run must list
	why    error     // ErrCompacted or errReplaced when that is why; else nil

	hearing bool // a member answers

	follower *Follower // instead of apply; nil: of a Watch
}

// run lists when it has to and then follows events until the stream ends. It
// reports whether anything was received.
func (w *watch) run(ctx context.Context) (progressed bool, err error) {
	if w.follower == nil && (w.handed == nil || w.stale) {
		if err := w.list(ctx); err != nil {
			return false, err
		}
		progressed = true
	}
	followed, err := w.follow(ctx)
	for _, why := range []error{ErrCompacted, errReplaced} {
		if errors.Is(err, why) {
			w.stale, w.why = true, why
		}
	}
	return progressed || followed, err
}

// list reads the directory and hands over how it differs from what was handed
// over before.
func (w *watch) list(ctx context.Context) error {
	kvs, h, err := w.s.list(ctx, w.prefix)
	if err != nil {
		return err
	}
	b := Batch{Prefix: w.prefix, Revision: h.revision}
	if w.handed == nil {
		w.handed = newVersions()
		b.Reset = true
	}
	b.Puts, b.Deletes = w.handed.replace(kvs)
	w.s.frontiers.forget(w) // it may go back
	w.apply(b)
	w.s.resyncs.add(w.why, len(b.Puts)+len(b.Deletes))
	w.at, w.stale, w.why = h, false, nil
	w.s.frontiers.set(w, h.revision)
	return nil
}
