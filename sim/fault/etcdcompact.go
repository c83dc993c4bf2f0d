package fault

import (
	"context"
	"errors"
	"fmt"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/topology"
)

// EtcdCompact makes the store forget every revision before the newest one. A
// watch that is behind at this moment ends, and its owner must read everything
// again. What is forgotten does not come back: Revert does nothing, and the window
// of the fault says only when somebody healed it.
type EtcdCompact struct {
	Region string `json:"region,omitempty" arg:"1" doc:"region of the store; needed when there are several"`
	// Revision that is kept; Resolve decides it.
	Revision int64 `json:"revision,omitempty" yaml:"-"`
}

// Kind implements Fault.
func (EtcdCompact) Kind() string { return "etcd-compact" }

func (f EtcdCompact) String() string {
	if f.Revision == 0 {
		return fmt.Sprintf("the store%s forgets its past", in(f.Region))
	}
	return fmt.Sprintf("the store%s forgets what was before revision %d", in(f.Region), f.Revision)
}

// in is " in REGION", when one is named.
func in(region string) string {
	if region == "" {
		return ""
	}
	return " in " + region
}

// Touches implements Fault.
func (f EtcdCompact) Touches(t Target) []topology.Ref {
	members, _ := storeOf(t, f, f.Region) // Check has said what is wrong
	return refsOf(members)
}

// Survey implements Surveyor.
func (f EtcdCompact) Survey(t Target) error { return storeSurvey(f.Kind(), t) }

// Check implements Fault.
func (f EtcdCompact) Check(t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	if len(serving(members)) < quorum(len(members)) {
		return unavailable(f, "the store has no quorum")
	}
	return nil
}

// Resolve implements Resolver: what is kept is the newest revision.
func (f EtcdCompact) Resolve(ctx context.Context, t Target) (Fault, error) {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return nil, err
	}
	err = errors.New("nobody serves")
	for _, m := range serving(members) {
		if f.Revision, err = m.Revision(ctx); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if f.Revision < 2 { // revision 1 is the empty store
		return nil, unavailable(f, "nothing was ever written to the store")
	}
	return f, nil
}

// Apply implements Fault. Members that serve must refuse to tell the past; one
// that is cut off learns of it later.
func (f EtcdCompact) Apply(ctx context.Context, t Target) error {
	members, err := storeOf(t, f, f.Region)
	if err != nil {
		return err
	}
	proven := 0
	for _, m := range serving(members) {
		if proven == 0 {
			err := m.Compact(ctx, f.Revision, true)
			if err != nil && !errors.Is(err, etcd.ErrCompacted) {
				continue // the next one may serve
			}
		}
		// The read needs a quorum: it sees the compaction, or fails.
		_, err := m.Range(ctx, etcd.Query{Revision: f.Revision - 1, Limit: 1, KeysOnly: true})
		switch {
		case errors.Is(err, etcd.ErrCompacted):
			proven++
		case err == nil:
			return fmt.Errorf("%s still tells revision %d", m.Ref(), f.Revision-1)
		}
	}
	if proven == 0 {
		return errors.New("no member took the compaction")
	}
	return nil
}

// Revert implements Fault. There is nothing that it could do.
func (EtcdCompact) Revert(context.Context, Target) error { return nil }
