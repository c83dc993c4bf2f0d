package store

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// streams sees to it that all watches of a Store share one stream, of one member: what a
// member has to keep, and to look at for each change, is per stream, and processes with
// many directories were many.
type streams struct {
	mu   sync.Mutex
	turn int     // of members.each
	now  *stream // nil: nobody watches
	seq  uint64
}

// stream is a stream of watches. When it fails one of them, all leave it together for
// the next member.
type stream struct {
	id    string
	m     *member
	users int // watches; streams.mu guards it
	opening
	// heard is when the member said anything, to whichever watch: it answers a progress
	// request only when all watches are up to date, so a large directory that is not
	// keeps it from telling the others that it lives. asked is when it was requested
	// last. Both are times since began.
	heard, asked atomic.Int64
	began        time.Time
}

// join returns the stream that everybody uses.
func (s *Store) join() *stream {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	if s.streams.now == nil {
		s.streams.seq++
		s.streams.now = &stream{
			id: strconv.FormatUint(s.streams.seq, 10), m: s.members.forWatch(s.streams.turn),
			opening: opening{left: make(chan struct{})}, began: time.Now(),
		}
	}
	s.streams.now.users++
	return s.streams.now
}

// leave ends the use of a stream by a watch that ended with err. The last one closes it:
// the client closes a stream without watches, and it must not be opened again.
func (s *Store) leave(st *stream, err error) {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	st.users--
	if s.streams.now != st || st.users > 0 && !failed(err) {
		return
	}
	s.streams.now = nil
	close(st.left)
	if failed(err) {
		s.streams.turn = slices.Index(s.members.each, st.m) + 1
	}
	if errors.Is(err, errSilent) {
		s.members.silent(st.m)
	}
}

// failed reports whether what ended a watch is a matter of its stream or member, so that
// the other watches cannot trust it either.
func failed(err error) bool {
	for _, own := range []error{ErrCompacted, errReplaced, rpctypes.ErrPermissionDenied, context.Canceled} {
		if errors.Is(err, own) {
			return false
		}
	}
	return err != nil
}

// within returns a context for watches of the stream: the client puts those on one stream
// whose metadata is equal.
func (st *stream) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	ctx = metadata.AppendToOutgoingContext(ctx, "unilb-watch", st.id)
	return context.WithValue(ctx, openingKey{}, &st.opening), cancel
}

func (st *stream) hear() { st.heard.Store(int64(time.Since(st.began))) }

// silent is for how long nothing was heard.
func (st *stream) silent() time.Duration {
	return time.Since(st.began) - time.Duration(st.heard.Load())
}

// request asks the member to say where it is, unless a watch has done so within pause.
func (st *stream) request(ctx context.Context, pause time.Duration) {
	now, last := int64(time.Since(st.began)), st.asked.Load()
	if now-last < int64(pause/2) || !st.asked.CompareAndSwap(last, now) {
		return
	}
	ctx, done := context.WithTimeout(ctx, heartbeat)
	defer done()
	_ = st.m.c.RequestProgress(ctx) // a missing answer is what counts
}

// opening is how a stream of the client lives: it is opened once, and no longer than
// until it was left.
type opening struct {
	left   chan struct{} // closed when all watches are to leave the stream
	opened atomic.Bool
}

// openingKey is in the context of a watch, with the opening of its stream.
type openingKey struct{}

// openOnce keeps the client from opening a stream of watches again by itself after it
// broke: what answers then may be a restored etcd, and nobody would have looked. And it
// ends one that was left. The client does so only when it has opened it, and waits for a
// member that is away as long as it takes: when that is back, it would get a stream of
// every attempt there was, for ever.
func openOnce(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	o, ok := ctx.Value(openingKey{}).(*opening)
	if !ok {
		return open(ctx, desc, cc, method, opts...)
	}
	if o.opened.Load() {
		return nil, status.Error(codes.Aborted, "the stream of the watch broke") // a code that the client takes as final
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		<-o.left
	}()
	stream, err := open(ctx, desc, cc, method, opts...)
	if err == nil {
		o.opened.Store(true)
	}
	return stream, err
}
