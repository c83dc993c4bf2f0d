package l4

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// records makes members of a pool from "a:up b:down c:up/leaving".
func records(spec string) []Record {
	var out []Record
	for i, f := range strings.Fields(spec) {
		name, state, _ := strings.Cut(f, ":")
		state, leaving := strings.CutSuffix(state, "/leaving")
		r := Record{Member: Member{
			Pool: PoolGateway, Name: name, Addr: netip.AddrFrom4([4]byte{100, 127, 0, name[0]}),
			VTEP: netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), ProbePort: 9092, Leaving: leaving,
		}}
		for s, n := range stateNames {
			if n == state {
				r.State = State(s)
			}
		}
		out = append(out, r)
	}
	return out
}

func names(members []RingMember) string {
	var out []string
	for _, m := range members {
		out = append(out, m.Name)
	}
	return strings.Join(out, " ")
}

func TestRingHoldsMembersThatAreUp(t *testing.T) {
	for _, c := range []struct {
		name, last, members, want string
		open                      bool
	}{
		{"up only", "a b c d", "a:up b:down c:draining d:unknown e:up", "a e", false},
		{"none registered", "a b", "", "", false},
		{"new and not probed", "", "a:unknown b:unknown", "", false},
		{"new and partly probed", "", "a:down b:unknown", "", false},
		{"new and first is up", "", "a:up b:unknown", "a", false},
		{"all down keeps the last ring", "a b", "a:down b:down c:down", "a b", true},
		{"last one draining keeps the last ring", "a", "a:draining b:down", "a", true},
		{"last ring loses who is gone", "a b", "b:down c:down", "b", true},
		{"last ring is gone", "a", "b:down c:down d:down/leaving", "b c", true},
		{"last ring is gone and new ones not probed", "a", "b:down c:unknown", "", false},
		{"no last ring and all down", "", "a:down b:down", "a b", true},
		{"only leaving ones, down", "", "a:down/leaving", "", false},
		{"comes back", "a b", "a:down b:up", "b", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var last []RingMember
			for _, n := range strings.Fields(c.last) {
				last = append(last, RingMember{Name: n, Addr: netip.AddrFrom4([4]byte{100, 127, 0, n[0]})})
			}
			got, open := ringMembers(last, records(c.members))
			if names(got) != c.want || open != c.open {
				t.Errorf("got [%s] fail open %v, want [%s] %v", names(got), open, c.want, c.open)
			}
		})
	}
}

func TestRegistrationTakesOutOfTheRingButNotBackIn(t *testing.T) {
	for _, c := range []struct {
		leaving      bool
		probed, want State
	}{
		{false, Up, Up}, {true, Up, Draining}, {true, Down, Down}, {true, Draining, Draining},
		{true, Unknown, Unknown}, {false, Draining, Draining}, {false, Down, Down},
	} {
		if got := effective(Member{Leaving: c.leaving}, Health{State: c.probed}); got != c.want {
			t.Errorf("leaving %v, probed %s: got %s, want %s", c.leaving, c.probed, got, c.want)
		}
	}
}

// Two members carried traffic while both were thought to be down. The first to
// be up again must not take over the connections of the other.
func TestMemberThatAnswersAgainKeepsItsConnections(t *testing.T) {
	var h Health
	now := time.Unix(0, 0)
	for range DefaultMisses {
		h.Observe(Missed, "no answer", now, Thresholds{})
	}
	if got := effective(Member{}, h); got != Down {
		t.Fatalf("got %s after %d misses, want down", got, DefaultMisses)
	}
	h.Observe(IsReady, "", now, Thresholds{})
	if got := effective(Member{}, h); got != Draining {
		t.Errorf("got %s after the first answer, want draining: no new connections, the old ones stay", got)
	}
	h.Observe(IsReady, "", now, Thresholds{})
	if got := effective(Member{}, h); got != Up {
		t.Errorf("got %s after two answers, want up", got)
	}
}

// What is written to the maps can be read back by the process that adopts them.
func TestKernelFormCanBeReadBack(t *testing.T) {
	want := Desired{
		VIPs: []VIP{
			{Addr: netip.MustParseAddr("10.9.0.1"), Pool: PoolAdmin, Ports: []Port{{9180, TCP}}},
			{Addr: netip.MustParseAddr("203.0.113.10"), Pool: PoolGateway, Ports: []Port{{443, UDP}}},
		},
		Members: records("a:up b:draining"),
	}
	want.Members[1].Name = strings.Repeat("n", maxNameBytes)
	s := stateOf(want)
	s.holders = map[uint32][]netip.Addr{uint32(PoolGateway): {want.Members[0].Addr}}
	got := s.adopted()
	if g, w := fmt.Sprint(got.VIPs), fmt.Sprint(want.VIPs); g != w {
		t.Errorf("VIPs: got %s, want %s", g, w)
	}
	if g, w := fmt.Sprint(got.Members), fmt.Sprint(want.Members); g != w {
		t.Errorf("members: got %s, want %s", g, w)
	}
	if g := names(got.Rings[PoolGateway]); g != "a" {
		t.Errorf("ring: got %q, want %q", g, "a")
	}
	for i, name := range counterNames {
		if name == "" {
			t.Errorf("counter %d has no name", i)
		}
	}
}
