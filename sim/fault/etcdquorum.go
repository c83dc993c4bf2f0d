package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/topology"
)

// EtcdLoseQuorum kills as many members of a store as it takes to leave it without
// a majority, the last ones of the plan. The survivors answer reads that may be
// old, and nothing else: no write, no read that must be right, no lease is kept.
// Revert starts the members again and waits until all of them serve.
type EtcdLoseQuorum struct {
	Region string `json:"region,omitempty" arg:"1" doc:"region of the store; needed when there are several"`
	// Members that are killed; Resolve decides them.
	Members []topology.Ref `json:"members,omitempty" yaml:"-"`
}

// Kind implements Fault.
func (EtcdLoseQuorum) Kind() string { return "etcd-lose-quorum" }

func (f EtcdLoseQuorum) String() string {
	if len(f.Members) == 0 {
		return fmt.Sprintf("the store%s loses its quorum", in(f.Region))
	}
	return fmt.Sprintf("the store%s loses its quorum: kill -9 %s", in(f.Region), list(f.Members))
}

// Touches implements Fault.
func (f EtcdLoseQuorum) Touches(Target) []topology.Ref { return f.Members }

// Claims implements Claimer.
func (f EtcdLoseQuorum) Claims(Target) []Claim { return storeClaims(f.Members) }

// Survey implements Surveyor.
func (f EtcdLoseQuorum) Survey(t Target) error { return storeSurvey(f.Kind(), t) }

// Check implements Fault.
func (f EtcdLoseQuorum) Check(t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	if len(members) == 1 {
		return unavailable(f, "the store has one member, and nobody would survive it; kill %s instead", members[0].Ref())
	}
	return needServing(f, members)
}

// Resolve implements Resolver.
func (f EtcdLoseQuorum) Resolve(_ context.Context, t Target) (Fault, error) {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return nil, err
	}
	f.Members = refsOf(members[quorum(len(members))-1:])
	return f, nil
}

// Apply implements Fault.
func (f EtcdLoseQuorum) Apply(ctx context.Context, t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	err = parallel(membersNamed(members, f.Members), func(m Member) error {
		if err := m.Kill(topology.ProcEtcd); err != nil {
			return err
		}
		if m.Running(topology.ProcEtcd) {
			return fmt.Errorf("etcd on %s still runs after SIGKILL", m.Ref())
		}
		return nil
	})
	if err != nil {
		return err
	}
	return parallel(membersBut(members, f.Members), func(m Member) error { return provenAlone(ctx, m) })
}

// provenAlone returns when the member has noticed that it is in a minority, and
// behaves accordingly.
func provenAlone(ctx context.Context, m Member) error {
	err := awaitStore(ctx, func() error {
		s, err := m.Status(ctx)
		if err == nil && s.Leader != 0 {
			err = fmt.Errorf("%s still follows a leader", m.Ref())
		}
		return err
	})
	if err != nil {
		return err
	}
	if _, err := m.Range(ctx, etcd.Query{Serializable: true, Limit: 1, KeysOnly: true}); err != nil {
		return fmt.Errorf("a read that needs no quorum: %w", err)
	}
	// It would answer a read that needs one in a millisecond.
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := m.Revision(short); err == nil {
		return fmt.Errorf("%s still answers reads that need a quorum", m.Ref())
	}
	return nil
}

// Revert implements Fault.
func (f EtcdLoseQuorum) Revert(ctx context.Context, t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	if err := startMembers(ctx, membersNamed(members, f.Members)); err != nil {
		return err
	}
	return awaitLeader(ctx, members)
}

// list is the names with commas between them.
func list(refs []topology.Ref) string {
	text := ""
	for i, r := range refs {
		if i > 0 {
			text += ", "
		}
		text += string(r)
	}
	return text
}
