//go:build netns

package lab_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/sim/fault"
)

// One lab for both: what they share is most of the time.
func TestStoreGoesBackToItsBackupAndItsMembersAreReplaced(t *testing.T) {
	s := upStore(t, threeMembers)
	s.mustPut("before", 0, "/k", "old")
	old, err := s.member(0).Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	silent := func(when string) {
		t.Helper()
		for i, n := range s.nodes {
			if _, err := s.member(i).Status(t.Context()); !errors.Is(err, unix.ECONNREFUSED) {
				t.Errorf("%s: %s: got %v, want that the connection is refused", when, n.Ref, err)
			}
		}
	}
	has := func(when, want string) {
		t.Helper()
		for i, n := range s.nodes {
			if got, err := s.get(i, etcd.Query{Prefix: "/k"}); got != want || err != nil {
				t.Errorf("%s: %s has %q (%v), want %s", when, n.Ref, got, err, want)
			}
		}
	}

	backup := s.inject(fault.EtcdBackup{})
	silent("backup")
	s.heal(backup)
	has("after the backup", "old")
	for range 20 {
		s.mustPut("after the backup", 1, "/k", "new")
	}

	restore := s.inject(fault.EtcdRestore{})
	silent("restore")
	s.heal(restore)
	has("restored", "old")
	if got, err := s.member(0).Revision(t.Context()); got != old || err != nil {
		t.Errorf("restored: revision %d (%v), want %d", got, err, old)
	}

	replace := s.inject(fault.EtcdReplace{On: s.nodes[2].Ref})
	s.mustPut("replaced", 0, "/k", "newer")
	if peers, err := s.member(1).Peers(t.Context()); len(peers) != 2 || err != nil {
		t.Errorf("replaced: the others list %v (%v), want two", peers, err)
	}
	s.heal(replace)
	has("replaced", "newer")
	if peers, err := s.member(2).Peers(t.Context()); len(peers) != 3 || err != nil {
		t.Errorf("replaced: the new member lists %v (%v), want three", peers, err)
	}
}
