package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/lastgood"
)

const (
	// etcdSilence is how long etcd may leave a question unanswered before a gateway
	// begins with its last good configuration: as long as an election takes.
	etcdSilence = 2 * time.Second
	// listPatience is how long an etcd that answers may take to list a prefix.
	listPatience = time.Minute
)

// follow keeps a prefix in force until ctx ends: from etcd, and while that is away when
// this process begins, from disk. began is called once something is in force, or ctx has
// ended.
func (g *Gateway) follow(ctx context.Context, prefix string, began func()) {
	defer began()
	first := make(chan struct{})
	once := sync.OnceFunc(func() { close(first); began() })
	apply := func(b store.Batch) {
		g.last.note(prefix, b, g.config.apply(prefix, b))
		once()
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = g.o.Store.Watch(watching, prefix+"/", apply)
	}()
	known := g.instead(ctx, prefix, first)
	if known == nil {
		<-ended
		return
	}
	stop()
	<-ended
	select {
	case <-first: // etcd was faster than we
		_ = g.o.Store.Watch(ctx, prefix+"/", apply)
	default:
		g.config.apply(prefix, store.Batch{Prefix: prefix, Revision: known.Revision, Reset: true, Puts: known.KVs})
		g.last.use(known)
		once()
		_ = g.o.Store.WatchFrom(ctx, prefix+"/", known.KVs, apply)
	}
}

// instead waits for the first batch of a prefix. When etcd does not answer it returns
// what is on disk; nil: nothing is.
func (g *Gateway) instead(ctx context.Context, prefix string, first <-chan struct{}) *lastgood.Content {
	if g.last == nil {
		return nil
	}
	for began := time.Now(); time.Since(began) < listPatience; {
		asking, cancel := context.WithTimeout(ctx, etcdSilence)
		_, _, _, err := g.o.Store.Get(asking, prefix+"/")
		cancel()
		if err != nil {
			break
		}
		select {
		case <-first:
			return nil
		case <-ctx.Done():
			return nil
		case <-time.After(etcdSilence): // a list takes its time
		}
	}
	select {
	case <-first:
		return nil
	default:
	}
	if ctx.Err() != nil {
		return nil
	}
	return g.last.of(prefix)
}
