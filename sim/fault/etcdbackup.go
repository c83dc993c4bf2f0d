package fault

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/topology"
)

// EtcdBackup takes a store away as a whole while its disks are copied: every member
// is killed, so that nobody reads or writes. Revert starts the members again. What
// was copied is what EtcdRestore puts back, as often as it is asked to.
type EtcdBackup struct {
	Region string `json:"region,omitempty" arg:"1" doc:"region of the store; needed when there are several"`
	// Members of the store; Resolve notes them.
	Members []topology.Ref `json:"members,omitempty" yaml:"-"`
}

// Kind implements Fault.
func (EtcdBackup) Kind() string { return "etcd-backup" }

func (f EtcdBackup) String() string {
	return fmt.Sprintf("the store%s is away while its disks are copied", in(f.Region))
}

// Touches implements Fault.
func (f EtcdBackup) Touches(Target) []topology.Ref { return f.Members }

// Claims implements Claimer.
func (f EtcdBackup) Claims(Target) []Claim { return wholeStoreClaims(f.Members) }

// Survey implements Surveyor.
func (f EtcdBackup) Survey(t Target) error { return storeSurvey(f.Kind(), t) }

// Check implements Fault.
func (f EtcdBackup) Check(t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	return needServing(f, members)
}

// Resolve implements Resolver.
func (f EtcdBackup) Resolve(_ context.Context, t Target) (Fault, error) {
	members, err := storeOf(t, f, f.Region)
	f.Members = refsOf(members)
	return f, err
}

// Apply implements Fault.
func (f EtcdBackup) Apply(ctx context.Context, t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	if err := endStore(ctx, members); err != nil {
		return err
	}
	return parallel(members, Member.SaveDisk)
}

// Revert implements Fault.
func (f EtcdBackup) Revert(ctx context.Context, t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	return startStore(ctx, members)
}

// EtcdRestore takes a store away as a whole and puts back what EtcdBackup has copied:
// whatever was written since is as if it had never been, and revisions are given a
// second time. Revert starts the members, which go on from there; what is lost stays
// so.
type EtcdRestore struct {
	Region string `json:"region,omitempty" arg:"1" doc:"region of the store; needed when there are several"`
	// Members of the store, and its newest revision before; Resolve notes them.
	Members  []topology.Ref `json:"members,omitempty" yaml:"-"`
	Revision int64          `json:"revision,omitempty" yaml:"-"`
}

// Kind implements Fault.
func (EtcdRestore) Kind() string { return "etcd-restore" }

func (f EtcdRestore) String() string {
	if f.Revision == 0 {
		return fmt.Sprintf("the store%s is restored from its backup", in(f.Region))
	}
	return fmt.Sprintf("the store%s is restored from its backup; it was at revision %d", in(f.Region), f.Revision)
}

// Touches implements Fault.
func (f EtcdRestore) Touches(Target) []topology.Ref { return f.Members }

// Claims implements Claimer.
func (f EtcdRestore) Claims(Target) []Claim { return wholeStoreClaims(f.Members) }

// Survey implements Surveyor.
func (f EtcdRestore) Survey(t Target) error { return storeSurvey(f.Kind(), t) }

// Check implements Fault.
func (f EtcdRestore) Check(t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	for _, m := range members {
		if !m.DiskSaved() {
			return unavailable(f, "the disk of %s was never copied; etcd-backup comes before", m.Ref())
		}
	}
	return needServing(f, members)
}

// Resolve implements Resolver.
func (f EtcdRestore) Resolve(ctx context.Context, t Target) (Fault, error) {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return nil, err
	}
	f.Members = refsOf(members)
	err = awaitStore(ctx, func() (err error) {
		f.Revision, err = members[0].Revision(ctx)
		return err
	})
	return f, err
}

// Apply implements Fault.
func (f EtcdRestore) Apply(ctx context.Context, t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	if err := endStore(ctx, members); err != nil {
		return err
	}
	return parallel(members, Member.RestoreDisk)
}

// Revert implements Fault.
func (f EtcdRestore) Revert(ctx context.Context, t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	return startStore(ctx, members)
}

// endStore kills every member, and returns when none of them answers.
func endStore(ctx context.Context, members []Member) error {
	return parallel(members, func(m Member) error {
		if err := m.Kill(topology.ProcEtcd); err != nil {
			return err
		}
		if m.Running(topology.ProcEtcd) {
			return fmt.Errorf("etcd on %s still runs after SIGKILL", m.Ref())
		}
		if _, err := m.Status(ctx); err == nil {
			return fmt.Errorf("somebody answers for etcd on %s", m.Ref())
		}
		return nil
	})
}

// startStore starts every member, and returns when they have a leader and serve.
func startStore(ctx context.Context, members []Member) error {
	if err := startMembers(ctx, members); err != nil {
		return err
	}
	return awaitLeader(ctx, members)
}

// wholeStoreClaims are those of faults that change what is on members' disks.
func wholeStoreClaims(refs []topology.Ref) []Claim {
	out := storeClaims(refs)
	for _, r := range refs {
		out = append(out, DiskClaim(r))
	}
	return out
}
