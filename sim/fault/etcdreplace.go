package fault

import (
	"context"
	"fmt"
	"slices"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/topology"
)

// EtcdReplace takes a member out of its cluster for good: it is killed, the others
// strike it off their list, and its disk is empty. Revert brings another one in its
// place, with the same addresses and nothing on its disk, which the others fill.
type EtcdReplace struct {
	On topology.Ref `json:"on" arg:"1" need:"true" doc:"etcd node"`
}

// Kind implements Fault.
func (EtcdReplace) Kind() string { return "etcd-replace" }

func (f EtcdReplace) String() string { return fmt.Sprintf("%s is lost, and replaced", f.On) }

// Touches implements Fault.
func (f EtcdReplace) Touches(Target) []topology.Ref { return []topology.Ref{f.On} }

// Claims implements Claimer.
func (f EtcdReplace) Claims(Target) []Claim { return wholeStoreClaims([]topology.Ref{f.On}) }

// Survey implements Surveyor.
func (f EtcdReplace) Survey(t Target) error { return storeSurvey(f.Kind(), t) }

// Check implements Fault.
func (f EtcdReplace) Check(t Target) error {
	members, i, err := f.member(t)
	if err != nil {
		return err
	}
	others := serving(membersBut(members, []topology.Ref{f.On}))
	if len(others) < quorum(len(members)) {
		return unavailable(f, "without %s the store has no quorum, and nobody could strike it off", members[i].Ref())
	}
	return nil
}

// member finds the store that the member is of, and its place there.
func (f EtcdReplace) member(t Target) ([]Member, int, error) {
	if err := storeSurvey(f.String(), t); err != nil {
		return nil, 0, err
	}
	for _, region := range t.Stores() {
		members := t.Store(region)
		if i := slices.IndexFunc(members, func(m Member) bool { return m.Ref() == f.On }); i >= 0 {
			return members, i, nil
		}
	}
	return nil, 0, unavailable(f, "%s is no member of a store", f.On)
}

// Apply implements Fault.
func (f EtcdReplace) Apply(ctx context.Context, t Target) error {
	members, i, err := f.member(t)
	if err != nil {
		return err
	}
	lost := members[i]
	if err := lost.Kill(topology.ProcEtcd); err != nil {
		return err
	}
	others := membersBut(members, []topology.Ref{f.On})
	err = awaitStore(ctx, func() error { return others[0].RemovePeer(ctx, lost.PeerURL()) })
	if err != nil {
		return err
	}
	for _, m := range others {
		listed, err := lists(ctx, m, lost.PeerURL())
		if err != nil {
			return fmt.Errorf("ask %s for its peers: %w", m.Ref(), err)
		}
		if listed {
			return fmt.Errorf("%s still lists %s", m.Ref(), f.On)
		}
	}
	return lost.EmptyDisk()
}

func lists(ctx context.Context, m Member, url string) (bool, error) {
	peers, err := m.Peers(ctx)
	return slices.ContainsFunc(peers, func(p etcd.Peer) bool { return slices.Contains(p.URLs, url) }), err
}

// Revert implements Fault. A cluster takes a member when the others have been
// connected to each other for five seconds: it is asked until it does.
func (f EtcdReplace) Revert(ctx context.Context, t Target) error {
	members, i, err := f.member(t)
	if err != nil {
		return err
	}
	lost, others := members[i], membersBut(members, []topology.Ref{f.On})
	listed, err := lists(ctx, others[0], lost.PeerURL())
	if err != nil {
		return err
	}
	if !listed { // what it may still have on its disk is a removed member's
		if err := lost.EmptyDisk(); err != nil {
			return err
		}
	}
	if err := awaitStore(ctx, func() error { return others[0].AddPeer(ctx, lost.PeerURL()) }); err != nil {
		return err
	}
	// A member that has data, because the fault was not applied, ignores the flag.
	if err := lost.Start(ctx, topology.ProcEtcd, "--new-cluster=false"); err != nil {
		return err
	}
	return awaitLeader(ctx, members)
}
