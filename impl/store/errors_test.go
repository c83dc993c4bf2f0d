package store

import (
	"context"
	"errors"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestErrorsSayWhatBecameOfACommitThatWasSent(t *testing.T) {
	t.Parallel()
	const (
		refused   = "refused"   // whoever is asked
		unhappy   = "unhappy"   // it did not happen, and may be tried again
		uncertain = "uncertain" // it may have happened
	)
	for _, tc := range []struct {
		err  error
		want string
	}{
		{rpctypes.ErrPermissionDenied, refused},
		{rpctypes.ErrTooManyOps, refused},
		{status.Error(codes.ResourceExhausted, "trying to send message larger than max"), refused},
		{rpctypes.ErrNoLeader, unhappy},
		{rpctypes.ErrTimeout, uncertain},
		{rpctypes.ErrLeaderChanged, uncertain},
		{rpctypes.ErrStopped, uncertain},
		{context.DeadlineExceeded, uncertain},
		{status.Error(codes.Canceled, "etcdserver: request canceled"), uncertain},
		{status.Error(codes.Unavailable, "error reading from server: EOF"), uncertain},
		{status.Error(codes.Internal, "stream terminated by RST_STREAM with error code: INTERNAL_ERROR"), uncertain}, // a proxy's
	} {
		got := refused
		if err, away := errors.AsType[*UnavailableError](classify("commit", true, tc.err)); away {
			got = map[bool]string{true: uncertain, false: unhappy}[err.Unknown]
		}
		if got != tc.want {
			t.Errorf("%v: got %s, want %s", tc.err, got, tc.want)
		}
		if err, away := errors.AsType[*UnavailableError](classify("commit", false, tc.err)); away && err.Unknown {
			t.Errorf("%v of what was not sent: its outcome is unknown", tc.err)
		}
	}
}
