package store

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
)

// Reachable tells whether every Watch that runs hears from a member now. It needs up
// to five seconds to notice a silent one; with no Watch it is true.
func (s *Store) Reachable() bool { return s.deaf.Load() == 0 }

// errAway is why nobody was asked.
var errAway = errors.New("no member can be connected to")

// away says that no member can be connected to: the last attempt at each of them has
// failed.
func (s *Store) away() bool {
	return s.c.ActiveConnection().GetState() == connectivity.TransientFailure
}

// doNotWait has a call fail when no member can be connected to. The library of etcd
// would have it wait for one, to the end of its time.
func doNotWait(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return call(ctx, method, req, reply, cc, append(opts, grpc.WaitForReady(false))...)
}

// goesOn waits before another attempt of a call that began then, and says whether
// there is to be one. While no member can be connected to there is one more, which
// sees a member that has just come back; a caller is told at once otherwise.
func (s *Store) goesOn(ctx context.Context, began time.Time) bool {
	limit := patience
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
		w.s.deaf.Add(-1)
	} else {
		w.s.deaf.Add(1)
	}
}

// endDeaf forgets a watch that ends.
func (w *watch) endDeaf() {
	if !w.hearing {
		w.s.deaf.Add(-1)
	}
}
