package store

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// follow hands over events that one member tells, from the revision that is in
// force until the stream ends, and says why it ended.
func (w *watch) follow(ctx context.Context, c *clientv3.Client) (progressed bool, err error) {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	// Watches whose metadata is equal share a stream, and a member answers a
	// progress request only when all watches of the stream are up to date. A
	// stream of its own keeps one large directory from silencing the others.
	id := strconv.FormatUint(w.s.watchSeq.Add(1), 10)
	ctx = metadata.AppendToOutgoingContext(ctx, "unilb-watch", id)
	ctx = context.WithValue(ctx, openedKey{}, new(atomic.Bool))

	// The watch begins with the revision that is in force already (its events
	// are skipped): a member does not answer progress requests of a watch that
	// begins in its future, as every watch of an idle cluster otherwise would.
	// Watch returns when the member has answered; one that never does must not
	// hold us.
	late := time.AfterFunc(opening, cancel)
	events := c.Watch(ctx, rangeStart(w.prefix), clientv3.WithRange(rangeEnd(w.prefix)),
		clientv3.WithRev(w.at.revision), clientv3.WithProgressNotify(), clientv3.WithCreatedNotify(), clientv3.WithFragment())
	if !late.Stop() {
		return false, errSilent
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	heard, lagging := time.Now(), false
	for {
		select {
		case resp, ok := <-events:
			if !ok {
				return progressed, errClosed
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
				heard, lagging = time.Now(), true
				continue
			case err != nil:
				return progressed, err
			case lagging:
				beat.Reset(heartbeat)
			}
			progressed, lagging, heard = true, false, time.Now()
			w.hears(true)
		case <-beat.C:
			if len(events) > 0 {
				continue
			}
			if lagging && time.Since(heard) > catchUp {
				return progressed, errLagging
			}
			if time.Since(heard) > silence {
				return progressed, errSilent
			}
			bctx, done := context.WithTimeout(ctx, heartbeat)
			_ = c.RequestProgress(bctx) // a missing answer is what counts
			done()
		case <-ctx.Done():
			return progressed, ctx.Err()
		}
	}
}

// openedKey is in the context of a watch, with whether its stream was opened.
type openedKey struct{}

// openOnce keeps the client from opening the stream of a watch again by itself after it
// broke: what answers then may be a restored etcd, and nobody would have looked.
func openOnce(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	opened, ok := ctx.Value(openedKey{}).(*atomic.Bool)
	if ok && opened.Load() {
		return nil, status.Error(codes.Aborted, "the stream of the watch broke") // a code that the client takes as final
	}
	stream, err := open(ctx, desc, cc, method, opts...)
	if ok && err == nil {
		opened.Store(true)
	}
	return stream, err
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
	b := Batch{Prefix: w.prefix}
	b.Puts, b.Deletes = w.handed.step(resp.Events, w.at.revision)
	w.at.term = h.term
	if n := len(resp.Events); n > 0 {
		last := resp.Events[n-1].Kv.ModRevision
		if last > w.at.revision {
			b.Revision = last
			w.apply(b)
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
