package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/topology"
)

// Stores are the etcd clusters of a lab, at most one a region.
type Stores interface {
	// Stores returns the regions that have one, in a fixed order.
	Stores() []string
	// Store returns the members of a region's cluster, in a fixed order.
	Store(region string) []Member
}

// A Member is one etcd server: the machine, and the server as one sees it who
// stands on that machine, whatever the network does.
type Member interface {
	Machine
	Status(context.Context) (etcd.Status, error)
	Range(context.Context, etcd.Query) (etcd.Answer, error)
	Revision(context.Context) (int64, error) // needs a quorum
	Compact(ctx context.Context, revision int64, physical bool) error
	// PeerURL is where the other members reach it.
	PeerURL() string
	Peers(context.Context) ([]etcd.Peer, error)
	AddPeer(ctx context.Context, url string) error
	RemovePeer(ctx context.Context, url string) error
}

// storeLimit is how long a cluster may take to elect a leader and to serve again.
// An election takes a second or two; the limit is generous for busy machines.
const storeLimit = 30 * time.Second

// storeEvery is how often a store is asked meanwhile.
const storeEvery = 50 * time.Millisecond

func awaitStore(ctx context.Context, wrong func() error) error {
	return awaitEvery(ctx, storeEvery, storeLimit, wrong)
}

// storeSurvey says whether the lab has a store at all.
func storeSurvey(kind string, t Target) error {
	if len(t.Stores()) == 0 {
		return &Unavailable{Fault: kind, Machine: true, Why: "this lab has no etcd; name members under regions.<name>.etcd in the topology file"}
	}
	return nil
}

// storeOf returns the members of the store that the fault means.
func storeOf(t Target, f Fault, region string) ([]Member, error) {
	if err := storeSurvey(f.String(), t); err != nil {
		return nil, err
	}
	regions := t.Stores()
	switch {
	case region == "" && len(regions) == 1:
		region = regions[0]
	case region == "":
		return nil, unavailable(f, "say which region's store: %s", strings.Join(regions, ", "))
	case !slices.Contains(regions, region):
		return nil, unavailable(f, "no store in region %q; there are: %s", region, strings.Join(regions, ", "))
	}
	return t.Store(region), nil
}

// membersNamed returns those with the refs, in the order of the store.
func membersNamed(members []Member, refs []topology.Ref) []Member {
	return slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return !slices.Contains(refs, m.Ref()) })
}

// membersBut returns the others.
func membersBut(members []Member, refs []topology.Ref) []Member {
	return slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return slices.Contains(refs, m.Ref()) })
}

// serving returns the members that take part in elections.
func serving(members []Member) []Member {
	return slices.DeleteFunc(slices.Clone(members), func(m Member) bool {
		return !m.Running(topology.ProcEtcd) || m.Frozen(topology.ProcEtcd) || m.Unplugged()
	})
}

// needServing returns *Unavailable when a member is out of service already.
func needServing(f Fault, members []Member) error {
	for _, m := range membersBut(members, refsOf(serving(members))) {
		return unavailable(f, "%s does not serve", m.Ref())
	}
	return nil
}

func refsOf(members []Member) []topology.Ref {
	var out []topology.Ref
	for _, m := range members {
		out = append(out, m.Ref())
	}
	return out
}

// quorum is how many members of n must agree.
func quorum(n int) int { return n/2 + 1 }

// leaderOf returns which of the members leads, when all of them follow the same.
func leaderOf(ctx context.Context, members []Member) (Member, error) {
	var leader Member
	var follow uint64
	for _, m := range members {
		s, err := m.Status(ctx)
		switch {
		case err != nil:
			return nil, err
		case s.Leader == 0:
			return nil, fmt.Errorf("%s knows no leader", m.Ref())
		case follow != 0 && s.Leader != follow:
			return nil, fmt.Errorf("%s follows another leader than %s", m.Ref(), members[0].Ref())
		}
		follow = s.Leader
		if s.Leads() {
			leader = m
		}
	}
	if leader == nil {
		return nil, errors.New("they follow a leader that is none of them")
	}
	return leader, nil
}

// awaitLeader waits until all of the members follow one of them, and each of them
// serves: what it is asked needs a quorum.
func awaitLeader(ctx context.Context, members []Member) error {
	return awaitStore(ctx, func() error {
		if _, err := leaderOf(ctx, members); err != nil {
			return err
		}
		return parallel(members, func(m Member) error {
			_, err := m.Revision(ctx)
			return err
		})
	})
}

// startMembers starts those that do not run, all at once: none is ready before
// there is a quorum.
func startMembers(ctx context.Context, members []Member) error {
	return parallel(members, func(m Member) error { return m.Start(ctx, topology.ProcEtcd) })
}

// storeClaims are the claims of faults that take members out of service.
func storeClaims(refs []topology.Ref) []Claim {
	var out []Claim
	for _, r := range refs {
		out = append(out, ProcessClaim(r, topology.ProcEtcd))
	}
	return out
}
