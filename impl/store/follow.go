package store

import (
	"context"
	"errors"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// follow hands over events that the member tells whose turn it is, from the revision that
// is in force until the stream ends, and says why it ended.
func (w *watch) follow(ctx context.Context) (progressed bool, err error) {
	st := w.s.join()
	defer func() { w.s.leave(st, err) }()
	ctx, cancel := st.within(ctx)
	defer cancel()

	// The watch begins with the revision that is in force already (its events
	// are skipped): a member does not answer progress requests of a watch that
	// begins in its future, as every watch of an idle cluster otherwise would.
	// Watch returns when the member has answered; one that never does must not
	// hold us.
	late := time.AfterFunc(w.s.beginning, cancel)
	events := st.m.c.Watch(ctx, rangeStart(w.prefix), clientv3.WithRange(rangeEnd(w.prefix)),
		clientv3.WithRev(w.at.revision), clientv3.WithProgressNotify(), clientv3.WithCreatedNotify(), clientv3.WithFragment())
	if !late.Stop() {
		return false, errSilent
	}
	st.hear()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	heard := time.Now()
	var lagging bool
	var since time.Time // it lags
	for {
		select {
		case resp, ok := <-events:
			if !ok {
				return progressed, errClosed
			}
			st.hear()
			if resp.Created {
				w.s.members.lives(st.m)
			}
			err := w.receive(resp)
			// From here on whoever replaces etcd has to break this stream.
			doubt := resp.Created || errors.Is(err, errStrange) || errors.Is(err, errLagging) && !lagging
			if doubt {
				if err := w.unreplaced(ctx); err != nil {
					return progressed, err
				}
			}
			switch {
			case errors.Is(err, errLagging) && len(resp.Events) == 0:
				if lagging {
					continue
				}
				beat.Reset(catchUpBeat)
				since, lagging = time.Now(), true
				continue
			case err != nil:
				return progressed, err
			case lagging:
				beat.Reset(heartbeat)
			}
			st.hear() // it took time to hand over; nobody has listened meanwhile
			progressed, lagging, heard = true, false, time.Now()
			w.hears(true)
			w.reached(w.at.revision)
		case <-beat.C:
			if len(events) > 0 {
				continue
			}
			if lagging && time.Since(since) > catchUp {
				return progressed, errLagging
			}
			if st.silent() > silence {
				return progressed, errSilent
			}
			if time.Since(heard) > w.s.starvation {
				return progressed, errStarved
			}
			every := heartbeat
			if lagging {
				every = catchUpBeat
			}
			st.request(ctx, every)
		case <-st.left:
			return progressed, errLeft
		case <-ctx.Done():
			return progressed, ctx.Err()
		}
	}
}

// receive hands over one answer of the member.
func (w *watch) receive(resp clientv3.WatchResponse) error {
	if resp.CompactRevision != 0 {
		return ErrCompacted
	}
	if err := resp.Err(); err != nil {
		return err
	}
	h := header{resp.Header.ClusterId, resp.Header.Revision, resp.Header.RaftTerm}
	if h.cluster != w.at.cluster {
		return errStrange
	}
	if h.before(w.at) {
		// Or restored from a backup: only a quorum can tell.
		return errLagging
	}
	w.at.term = h.term
	if n := len(resp.Events); n > 0 {
		last := resp.Events[n-1].Kv.ModRevision
		if last > w.at.revision {
			w.hand(resp.Events, last)
			w.at.revision = last
			w.s.frontiers.set(w, last)
		}
	} else if !resp.Created {
		// A progress notification: everything up to here was delivered. It
		// only moves the place to continue from, so that a compaction finds
		// nothing to take from us; nobody waits for revisions that did not
		// touch this directory.
		w.at.revision = h.revision
		w.s.frontiers.set(w, h.revision)
	}
	return nil
}

// hand hands over events, the last of which is of revision upTo.
func (w *watch) hand(events []*clientv3.Event, upTo int64) {
	if w.follower != nil {
		for _, e := range events {
			if e.Kv.ModRevision > w.at.revision {
				w.follower.told(e)
			}
		}
		return
	}
	b := Batch{Prefix: w.prefix, Revision: upTo}
	b.Puts, b.Deletes = w.handed.step(events, w.at.revision)
	w.apply(b)
}

func rangeStart(prefix string) string {
	if prefix == "" {
		return "\x00"
	}
	return directory(prefix)
}

func rangeEnd(prefix string) string {
	if prefix == "" {
		return "\x00"
	}
	return clientv3.GetPrefixRangeEnd(directory(prefix))
}
