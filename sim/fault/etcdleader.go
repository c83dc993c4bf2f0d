package fault

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/topology"
)

// A Loss is how a leader is lost. The zero value is ByKill.
type Loss string

// The ways to lose a leader.
const (
	ByKill   Loss = ""       // its connections end, so that the others know at once; "kill" is the same
	ByFreeze Loss = "freeze" // it is silent, and takes itself for the leader when it goes on
)

// byKillToo is ByKill spelt out.
const byKillToo Loss = "kill"

// EtcdLeaderLoss takes the leader away from a store. The others elect another one,
// after the election timeout (a second); until then nothing is written. Revert
// brings the member back, and waits until it follows.
type EtcdLeaderLoss struct {
	Region string `json:"region,omitempty" arg:"1" doc:"region of the store; needed when there are several"`
	How    Loss   `json:"how,omitempty" arg:"2" doc:"kill or freeze; kill without it"`
	// Member that leads; Resolve finds it.
	Member topology.Ref `json:"member,omitempty" yaml:"-"`
}

// Spelling implements Spelled.
func (f EtcdLeaderLoss) Spelling() error {
	if f.How != ByKill && f.How != byKillToo && f.How != ByFreeze {
		return fmt.Errorf("how %q is none of %q, %q", f.How, byKillToo, ByFreeze)
	}
	return nil
}

// Kind implements Fault.
func (EtcdLeaderLoss) Kind() string { return "etcd-leader-loss" }

func (f EtcdLeaderLoss) String() string {
	how := "kill -9"
	if f.How == ByFreeze {
		how = "freeze"
	}
	if f.Member == "" {
		return fmt.Sprintf("the store%s loses its leader: %s", in(f.Region), how)
	}
	return fmt.Sprintf("the store%s loses its leader: %s %s", in(f.Region), how, f.Member)
}

// Touches implements Fault.
func (f EtcdLeaderLoss) Touches(Target) []topology.Ref { return f.members() }

func (f EtcdLeaderLoss) members() []topology.Ref {
	if f.Member == "" {
		return nil
	}
	return []topology.Ref{f.Member}
}

// Claims implements Claimer.
func (f EtcdLeaderLoss) Claims(Target) []Claim { return storeClaims(f.members()) }

// Survey implements Surveyor.
func (f EtcdLeaderLoss) Survey(t Target) error { return storeSurvey(f.Kind(), t) }

// Check implements Fault.
func (f EtcdLeaderLoss) Check(t Target) error {
	if err := f.Spelling(); err != nil {
		return unavailable(f, "%v", err)
	}
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	if left := len(serving(members)) - 1; left < quorum(len(members)) {
		return unavailable(f, "without its leader the store has %d of %d members and could elect no other; kill the member, or use etcd-lose-quorum", max(left, 0), len(members))
	}
	return nil
}

// Resolve implements Resolver.
func (f EtcdLeaderLoss) Resolve(ctx context.Context, t Target) (Fault, error) {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return nil, err
	}
	err = awaitStore(ctx, func() error {
		leader, err := leaderOf(ctx, serving(members))
		if err == nil {
			f.Member = leader.Ref()
		}
		return err
	})
	return f, err
}

// Apply implements Fault.
func (f EtcdLeaderLoss) Apply(ctx context.Context, t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	for _, m := range membersNamed(members, f.members()) {
		if err := f.lose(m); err != nil {
			return err
		}
	}
	return awaitLeader(ctx, serving(membersBut(members, f.members())))
}

func (f EtcdLeaderLoss) lose(m Member) error {
	if f.How != ByFreeze {
		if err := m.Kill(topology.ProcEtcd); err != nil {
			return err
		}
		if m.Running(topology.ProcEtcd) {
			return fmt.Errorf("etcd on %s still runs after SIGKILL", m.Ref())
		}
		return nil
	}
	if err := m.Freeze(topology.ProcEtcd); err != nil {
		return err
	}
	if !m.Frozen(topology.ProcEtcd) {
		return fmt.Errorf("etcd on %s is not stopped", m.Ref())
	}
	return nil
}

// Revert implements Fault.
func (f EtcdLeaderLoss) Revert(ctx context.Context, t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	for _, m := range membersNamed(members, f.members()) {
		if f.How == ByFreeze {
			err = m.Continue(topology.ProcEtcd)
		} else {
			err = m.Start(ctx, topology.ProcEtcd)
		}
		if err != nil {
			return err
		}
	}
	return awaitLeader(ctx, serving(members))
}
