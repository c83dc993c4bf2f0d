//go:build netns

package lab_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/topology"
)

func TestCompactedStoreTellsNoPastToReadersAndWatchers(t *testing.T) {
	s := upStore(t, threeMembers)
	s.mustPut("before", 0, "/k", "old")
	old, err := s.member(1).Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.mustPut("before", 0, "/k", "new")
	past := etcd.Query{Prefix: "/k", Revision: old}
	if got, err := s.get(2, past); got != "old" || err != nil {
		t.Fatalf("before: at revision %d: %q (%v), want old", old, got, err)
	}
	if got := s.watch(1, old); !strings.Contains(got, `"events"`) {
		t.Fatalf("before: a watch from revision %d says %s, want events", old, got)
	}

	a := s.inject(fault.EtcdCompact{})
	want := func(when string) {
		t.Helper()
		for i, n := range s.nodes {
			if _, err := s.get(i, past); !errors.Is(err, etcd.ErrCompacted) {
				t.Errorf("%s: %s tells revision %d: %v", when, n.Ref, old, err)
			}
			if got := s.watch(i, old); !strings.Contains(got, `"canceled":true`) || !strings.Contains(got, "compact_revision") {
				t.Errorf("%s: a watch on %s from revision %d says %s, want that it is cancelled", when, n.Ref, old, got)
			}
			if got, err := s.get(i, etcd.Query{Prefix: "/k"}); got != "new" || err != nil {
				t.Errorf("%s: %s has %q now (%v), want new", when, n.Ref, got, err)
			}
		}
	}
	want("during")
	s.mustPut("during", 1, "/other", "x")
	if touched := a.Touches(); len(touched) != 3 {
		t.Errorf("it touches %v, want all members", touched)
	}

	s.heal(a)
	want("after") // what is forgotten stays forgotten
}

func TestStoreWithoutQuorumAnswersOldReadsOnly(t *testing.T) {
	s := upStore(t, threeMembers)
	s.mustPut("before", 0, "/k", "v")
	a := s.inject(fault.EtcdLoseQuorum{Region: "bj"})
	dead := a.Touches()
	if want := []topology.Ref{"bj/az2/etcd-e2", "bj/az3/etcd-e3"}; !slices.Equal(dead, want) {
		t.Fatalf("it took %v, want %v", dead, want)
	}
	const survivor = 0
	if got, err := s.get(survivor, etcd.Query{Prefix: "/k", Serializable: true}); got != "v" || err != nil {
		t.Errorf("during: an old read says %q (%v), want v", got, err)
	}
	if _, err := s.get(survivor, etcd.Query{Prefix: "/k"}); err == nil {
		t.Error("during: a read that needs a quorum is answered")
	}
	if err := s.put(survivor, "/k", "w", 2*time.Second); err == nil {
		t.Error("during: a write is accepted")
	}
	for _, ref := range dead {
		if _, err := s.member(s.index(ref)).Status(t.Context()); !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("during: %s: got %v, want that the connection is refused", ref, err)
		}
	}
	s.heal(a)
	for i, n := range s.nodes {
		s.mustPut("after", i, "/k", string(n.Ref))
		if got, err := s.get(i, etcd.Query{Prefix: "/k"}); got != string(n.Ref) || err != nil {
			t.Errorf("after: %s says %q (%v), want what it was just given", n.Ref, got, err)
		}
	}
}

func TestStoreWithoutLeaderElectsAnother(t *testing.T) {
	for name, c := range map[string]struct {
		how  fault.Loss
		gone func(error) bool // what a client sees of the member that led
	}{
		"kill":   {fault.ByKill, func(err error) bool { return errors.Is(err, unix.ECONNREFUSED) }},
		"freeze": {fault.ByFreeze, timedOut},
	} {
		t.Run(name, func(t *testing.T) {
			s := upStore(t, threeMembers)
			all := []*etcd.Member{s.member(0), s.member(1), s.member(2)}
			first, err := etcd.Leader(t.Context(), all...)
			if err != nil {
				t.Fatalf("before: %v", err)
			}
			s.mustPut("before", first, "/k", "v")

			a := s.inject(fault.EtcdLeaderLoss{How: c.how})
			if got := a.Touches(); len(got) != 1 || got[0] != s.nodes[first].Ref {
				t.Fatalf("it took %v, but %s led", got, s.nodes[first].Ref)
			}
			if _, err := s.member(first).Status(t.Context()); !c.gone(err) {
				t.Errorf("during: the old leader: got %v", err)
			}
			second, err := etcd.Leader(t.Context(), all...)
			if err != nil || second == first {
				t.Errorf("during: member %d leads (%v), want another than %d", second, err, first)
			}
			for i := range s.nodes {
				if i != first {
					s.mustPut("during", i, "/k", "w")
				}
			}

			s.heal(a)
			if now, err := etcd.Leader(t.Context(), all...); err != nil {
				t.Errorf("after: %d leads (%v)", now, err)
			}
			s.mustPut("after", first, "/k", "x")
			if got, err := s.get(second, etcd.Query{Prefix: "/k"}); got != "x" || err != nil {
				t.Errorf("after: %q (%v), want x", got, err)
			}
		})
	}
}

func TestStoreFaultsThatCannotBeDoneSayWhatToDo(t *testing.T) {
	s := upStore(t, oneMember)
	for _, c := range []struct {
		f       fault.Fault
		machine bool
		want    string
	}{
		{fault.EtcdLoseQuorum{}, false, "has one member"},
		{fault.EtcdLeaderLoss{}, false, "could elect no other"},
		{fault.EtcdCompact{}, false, "nothing was ever written"},
		{fault.EtcdCompact{Region: "sh"}, false, `no store in region "sh"; there are: bj`},
		{fault.EtcdSlowDisk{On: "bj/az1/etcd-e1", Delay: time.Second}, true, "regions.bj.etcd.disk: {impairable: true}"},
		{fault.EtcdSlowDisk{On: "client/*", Delay: time.Second}, false, "nothing runs on client/inet-1"},
		{fault.ExhaustDisk{On: "client/*"}, false, "nothing runs on client/inet-1"},
	} {
		_, err := s.lab.Inject(t.Context(), c.f)
		var un *fault.Unavailable
		if !errors.As(err, &un) || un.Machine != c.machine || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want *Unavailable (of the machine: %t) with %q", c.f, err, c.machine, c.want)
		}
	}
	lacking := s.lab.Lacking()
	if lacking["etcd-slow-disk"] == "" || lacking["etcd-compact"] != "" {
		t.Errorf("the lab lacks %v, want slow disks and no other fault of stores", lacking)
	}
	s.mustPut("after all that", 0, "/k", "v")
}
