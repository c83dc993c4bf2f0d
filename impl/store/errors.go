package store

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A ConflictError says that a condition of a commit did not hold; nothing was
// written.
type ConflictError struct {
	Key string // the first key whose condition failed
	Mod int64  // its modification revision then; 0: it did not exist
}

func (e *ConflictError) Error() string {
	if e.Mod == 0 {
		return fmt.Sprintf("commit: %s does not exist", e.Key)
	}
	return fmt.Sprintf("commit: %s is at revision %d", e.Key, e.Mod)
}

// ErrCompacted says that etcd has forgotten the revisions that were asked for.
var ErrCompacted = errors.New("the revisions asked for were compacted")

// An UnavailableError says that etcd could not be asked, or did not answer in
// time. The call may be repeated.
type UnavailableError struct {
	Op string // what was tried: get, list, commit, watch
	// Unknown is set when a commit may nevertheless have been applied: the
	// request was sent and its answer lost.
	Unknown bool
	Err     error
}

func (e *UnavailableError) Error() string {
	if e.Unknown {
		return fmt.Sprintf("%s: etcd did not answer, outcome unknown: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("%s: etcd is unavailable: %v", e.Op, e.Err)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// classify turns an error of the etcd client into one of ours. write says that the
// request would have changed something, and was sent.
func classify(op string, write bool, err error) error {
	var server rpctypes.EtcdError
	if errors.As(err, &server) {
		if server.Code() != codes.Unavailable && server.Code() != codes.DeadlineExceeded {
			return fmt.Errorf("%s: %w", op, err)
		}
		return &UnavailableError{Op: op, Unknown: write && !refusedUnseen(err), Err: err}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &UnavailableError{Op: op, Unknown: write, Err: err}
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unknown, codes.Internal: // the last is never etcd's word
		return &UnavailableError{Op: op, Unknown: write && !refusedUnseen(err), Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// refusedUnseen reports whether the error proves that the cluster never began to
// work on the request, so that even a write may be put to another member.
func refusedUnseen(err error) bool {
	return errors.Is(err, rpctypes.ErrNoLeader)
}
