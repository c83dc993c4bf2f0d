package l4

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
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
		{"adopted and not probed", "a b", "a:unknown b:unknown c:unknown", "a b", true},
		{"adopted and partly probed", "a b", "a:down b:unknown", "a b", true},
		{"all down", "a b", "a:down b:down c:down", "a b c", true},
		{"all down, one leaving", "a b", "a:down b:down/leaving", "a", true},
		{"all down, all leaving", "", "a:down/leaving", "a", true},
		{"draining ones answer", "a", "a:draining b:down", "a", true},
		{"comes back", "a b", "a:down b:up", "b", false},
		{"open, first is up and nothing known of the others", "open a b", "a:up b:unknown", "a b", true},
		{"open, first is up and the others are down", "open a b", "a:up b:down", "a", false},
		{"open, all are up", "open a b", "a:up b:up", "a b", false},
		{"open, but nobody of it is registered", "open c", "a:up b:unknown", "a", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var last []RingMember
			ring, wasOpen := strings.CutPrefix(c.last, "open ")
			for _, n := range strings.Fields(ring) {
				last = append(last, RingMember{Name: n, Addr: netip.AddrFrom4([4]byte{100, 127, 0, n[0]})})
			}
			got, open := ringMembers(last, records(c.members), wasOpen)
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
		if got := effective(Member{Leaving: c.leaving}, c.probed); got != c.want {
			t.Errorf("leaving %v, probed %s: got %s, want %s", c.leaving, c.probed, got, c.want)
		}
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
