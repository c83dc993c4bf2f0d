package history

import (
	"slices"
	"testing"
)

func TestCensusNamesWhatIsLeft(t *testing.T) {
	before := Census{Things: map[Kind][]Thing{
		Processes: {{ID: "1@0", Text: "1 init"}, {ID: "7@3", Text: "7 going"}},
		FDs:       {{ID: "/dev/net/tun", Count: 2}, {ID: "eventpoll"}},
		Pins:      {}, Links: {},
	}}
	after := Census{Things: map[Kind][]Thing{
		Processes: {{ID: "1@0", Text: "1 init"}, {ID: "7@9", Text: "7 another of this pid"}},
		FDs:       {{ID: "/dev/net/tun", Count: 5}, {ID: "eventpoll"}},
		Pins:      {{ID: "/sys/fs/bpf/x"}}, Mounts: {{ID: "/mnt"}},
	}}
	left, unknown := before.Left(after)
	if want := []string{"bpf: /sys/fs/bpf/x", "fd: /dev/net/tun (3 more, 2 before)", "process: 7 another of this pid"}; !slices.Equal(left, want) {
		t.Errorf("left: got %q, want %q", left, want)
	}
	if want := []Kind{Links, Mounts}; !slices.Equal(unknown, want) {
		t.Errorf("unknown: got %q, want %q", unknown, want)
	}
	if left, unknown := after.Left(after); len(left)+len(unknown) > 0 {
		t.Errorf("of itself: got %q, %q, want nothing", left, unknown)
	}
	if got := before.Len(); got != 5 {
		t.Errorf("got %d things, want 5", got)
	}
}
