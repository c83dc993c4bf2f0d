package store

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/metadata"
)

// FirstChange returns what first happened to key after revision after and not
// after revision upTo, which the cluster must have reached: it is of an answer
// that was read. Create of kv is 0 when the key was deleted, Mod the revision at
// which it was. ok is false when nothing happened. The error wraps ErrCompacted
// when etcd no longer knows, and is an *UnavailableError when it cannot be asked.
//
// Everything that was written between the two is looked at: it is meant for the
// seconds between two reads, not for the past of a key.
func (s *Store) FirstChange(ctx context.Context, key string, after, upTo int64) (kv KV, ok bool, err error) {
	if after >= upTo {
		return KV{}, false, nil
	}
	err = s.ask(ctx, readPast, func(ctx context.Context, c *clientv3.Client) error {
		return since(ctx, c, after, upTo, func(change KV) {
			if change.Key == key && !ok {
				kv, ok = change, true
			}
		})
	})
	if errors.Is(err, rpctypes.ErrCompacted) {
		err = ErrCompacted
	}
	return kv, ok, err
}

// since asks one member, which may lag. The watch is of all keys because it has to end
// when nothing happened to the interesting ones: every revision has an event, so that of
// upTo comes, and a watch of one key would wait for ever.
func since(ctx context.Context, c *clientv3.Client, after, upTo int64, f func(KV)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := &opening{left: make(chan struct{})}
	defer close(o.left)
	ctx = metadata.AppendToOutgoingContext(ctx, "unilb-watch", fmt.Sprintf("first %p", o)) // a stream of its own
	ctx = context.WithValue(ctx, openingKey{}, o)
	for resp := range c.Watch(ctx, rangeStart(""), clientv3.WithRange(rangeEnd("")), clientv3.WithRev(after+1), clientv3.WithFragment()) {
		if err := resp.Err(); err != nil {
			return err
		}
		for _, e := range resp.Events {
			if e.Kv.ModRevision <= upTo {
				f(fromPB(e.Kv))
			}
		}
		if n := len(resp.Events); n > 0 && resp.Events[n-1].Kv.ModRevision >= upTo {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errClosed
}
