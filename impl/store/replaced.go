package store

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// unreplaced asks a quorum whether the history that was handed out still holds,
// and returns errReplaced when it does not. One member cannot tell: it may lag. It is
// asked after the stream was opened: before, etcd could be replaced in between.
func (w *watch) unreplaced(ctx context.Context) error {
	h, err := w.s.head(ctx, w.prefix)
	switch {
	case err != nil:
		return err
	case h.before(w.at):
		return errReplaced
	}
	return w.unrewritten(ctx)
}

// before reports whether a cluster that answers with h cannot be the one that
// answered with old, or has lost some of its history since.
func (h header) before(old header) bool {
	return h.cluster != old.cluster || h.revision < old.revision || h.term < old.term
}

// unrewritten looks for another past: a cluster that was restored from a backup and
// has been written to since may be beyond the revision that was handed out, under the
// same identity. At that revision it must have had as many keys in the directory, and
// the one that was written last (a Follower knows of one that was deleted last as well:
// it must have been absent). What else differed then goes unnoticed, which is why
// a cluster should be restored with its revisions raised and marked compacted.
func (w *watch) unrewritten(ctx context.Context) error {
	at := clientv3.WithRev(w.at.revision)
	asked := []clientv3.Op{clientv3.OpGet(rangeStart(w.prefix), clientv3.WithRange(rangeEnd(w.prefix)), clientv3.WithCountOnly(), at)}
	key, have := w.handed.newest()
	if key != "" {
		asked = append(asked, clientv3.OpGet(key, at))
	}
	var resp *clientv3.TxnResponse
	err := w.s.ask(ctx, readKey, func(ctx context.Context, c *clientv3.Client) (err error) {
		resp, err = c.Txn(ctx).Then(asked...).Commit()
		return err
	})
	switch {
	case errors.Is(err, rpctypes.ErrCompacted): // the watch will find that out
		return nil
	case errors.Is(err, rpctypes.ErrFutureRev):
		return errReplaced
	case err != nil:
		return err
	case resp.Responses[0].GetResponseRange().GetCount() != w.count():
		return errReplaced
	case key == "":
		return nil
	}
	then := KV{Key: key, Mod: have.mod} // deleted
	if kvs := resp.Responses[1].GetResponseRange().GetKvs(); len(kvs) > 0 {
		then = fromPB(kvs[0])
	}
	if w.handed.version(&then) != have {
		return errReplaced
	}
	return nil
}

// count is how many keys are in the directory as it was handed out.
func (w *watch) count() int64 {
	if w.follower != nil {
		return w.follower.keys.Load()
	}
	return int64(len(w.handed.of))
}
