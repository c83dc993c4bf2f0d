package etcd

import (
	"context"
	"fmt"
)

// A Status is how a member sees itself and its cluster. It is the member's own
// view: one that is cut off may go on to name a leader that no longer leads.
type Status struct {
	Member   uint64 // its own id
	Leader   uint64 // id of the leader that it follows, or is; 0: it knows none
	Revision int64
	Term     uint64 // raft term
	Version  string // of the server
	Size     int64  // of the database, bytes
}

// Leads reports whether the member takes itself for the leader.
func (s Status) Leads() bool { return s.Leader == s.Member && s.Member != 0 }

// Status needs no quorum.
func (m *Member) Status(ctx context.Context) (Status, error) {
	var a struct {
		Header  header `json:"header"`
		Version string `json:"version"`
		Size    int64  `json:"dbSize,string"`
		Leader  uint64 `json:"leader,string"`
		Term    uint64 `json:"raftTerm,string"`
	}
	if err := m.call(ctx, "/v3/maintenance/status", struct{}{}, &a); err != nil {
		return Status{}, err
	}
	return Status{
		Member: a.Header.Member, Leader: a.Leader, Revision: a.Header.Revision,
		Term: a.Term, Version: a.Version, Size: a.Size,
	}, nil
}

// Leader is the index of the member that leads, when all that answer agree on it.
func Leader(ctx context.Context, members ...*Member) (int, error) {
	leads, last := -1, error(nil)
	var follow uint64
	for i, m := range members {
		s, err := m.Status(ctx)
		if err != nil {
			last = err
			continue
		}
		if s.Leader == 0 {
			return -1, fmt.Errorf("find leader: %s knows none", m.at)
		}
		if follow != 0 && s.Leader != follow {
			return -1, fmt.Errorf("find leader: %s follows %x, another one %x", m.at, s.Leader, follow)
		}
		follow = s.Leader
		if s.Leads() {
			leads = i
		}
	}
	if leads < 0 {
		if last == nil {
			last = fmt.Errorf("%x, which they follow, was not asked", follow)
		}
		return -1, fmt.Errorf("find leader: none that answers leads: %w", last)
	}
	return leads, nil
}
