package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
)

// Reachable tells whether every Watch that runs hears from a member now. It needs up
// to five seconds to notice a silent one; with no Watch it is true.
func (s *Store) Reachable() bool { return s.Reach().Reachable }

// A Reach says how etcd is reached.
type Reach struct {
	Reachable bool      `json:"reachable"`
	Since     time.Time `json:"since"`
	// LastError is why a Watch was interrupted the last time, and LastErrorAt when; it
	// stays when etcd is back. Nil: never.
	LastError   string     `json:"last_error,omitempty"`
	LastErrorAt *time.Time `json:"last_error_at,omitempty"`
}

// Reach is Reachable with its history.
func (s *Store) Reach() Reach {
	s.reach.mu.Lock()
	defer s.reach.mu.Unlock()
	out := Reach{Reachable: s.reach.deaf == 0, Since: s.reach.since}
	if s.reach.err != nil {
		at := s.reach.at
		out.LastError, out.LastErrorAt = s.reach.err.Error(), &at
	}
	return out
}

// reach is what watches have met.
type reach struct {
	mu    sync.Mutex
	deaf  int       // watches that hear from no member
	since time.Time // of there being any, or none
	err   error
	at    time.Time
}

// add counts watches that hear from no member.
func (r *reach) add(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.deaf
	if r.deaf += n; (before == 0) != (r.deaf == 0) {
		r.since = time.Now()
	}
}

// failed notes why a watch was interrupted.
func (r *reach) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err, r.at = err, time.Now()
}

// errAway is why nobody was asked.
var errAway = errors.New("no member can be connected to")

// away says that no member can be connected to: the last attempt at each of them has
// failed.
func (s *Store) away() bool { return s.members.all.down() }

// sent is the key of a context under which a *bool becomes true when a question that is
// asked with it goes out to a member, whatever becomes of it then.
type sent struct{}

// doNotWait has a call fail when no member can be connected to. The library of etcd
// would have it wait for one, to the end of its time.
func doNotWait(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	opts = append(opts, grpc.WaitForReady(false))
	out, asked := ctx.Value(sent{}).(*bool)
	if !asked {
		return call(ctx, method, req, reply, cc, opts...)
	}
	var member peer.Peer // is known as soon as the call has a stream, and never without
	err := call(ctx, method, req, reply, cc, append(opts, grpc.Peer(&member))...)
	*out = *out || member.Addr != nil // of any try of etcd's library
	return err
}

// goesOn waits before another attempt of a call that began then, and says whether
// there is to be one. While no member can be connected to there is one more, which
// sees a member that has just come back; a caller is told at once otherwise.
func (s *Store) goesOn(ctx context.Context, began time.Time) bool {
	limit := s.patience
	if s.away() {
		limit = attemptPause
		s.c.ActiveConnection().ResetConnectBackoff()
	}
	return time.Since(began) <= limit && pause(ctx, attemptPause)
}

// hears notes whether the watch hears from a member.
func (w *watch) hears(yes bool) {
	if w.hearing == yes {
		return
	}
	w.hearing = yes
	if yes {
		w.s.reach.add(-1)
	} else {
		w.s.reach.add(1)
	}
}

// endDeaf forgets a watch that ends.
func (w *watch) endDeaf() {
	if !w.hearing {
		w.s.reach.add(-1)
	}
}
