package l4

import (
	"testing"
	"time"
)

func TestHealthFollowsProbes(t *testing.T) {
	for _, c := range []struct {
		name   string
		from   State
		probes string // r ready, d draining, m missed
		want   string // state after each: u up, d draining, x down, ? unknown
	}{
		{"new member is up after two successes", Unknown, "rr", "?u"},
		{"new member is down after three misses", Unknown, "mmm", "??x"},
		{"two misses are forgiven", Up, "mmrmmr", "uuuuuu"},
		{"three misses take it out", Up, "mmmm", "uuxx"},
		{"one success does not bring it back", Down, "rmrr", "xxxu"},
		{"draining counts at once", Up, "d", "d"},
		{"draining member comes back", Draining, "drr", "ddu"},
		{"draining member that goes away is down", Draining, "mmm", "ddx"},
		{"member that answers draining is alive", Down, "d", "d"},
		{"draining forgets misses", Up, "mmdmm", "uuddd"},
		{"adopted member stays up", Up, "r", "u"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Unix(1000, 0)
			h := Health{State: c.from, Since: start}
			since := start
			for i, p := range c.probes {
				now := start.Add(time.Duration(i+1) * time.Second)
				before := h.State
				changed := h.Observe(map[rune]Outcome{'r': IsReady, 'd': IsDraining, 'm': Missed}[p], "no answer", now, Thresholds{})
				if got, want := h.State, map[byte]State{'u': Up, 'd': Draining, 'x': Down, '?': Unknown}[c.want[i]]; got != want {
					t.Fatalf("after %q: got %s, want %s", c.probes[:i+1], got, want)
				}
				if changed != (before != h.State) {
					t.Errorf("after %q: changed %v, but %s became %s", c.probes[:i+1], changed, before, h.State)
				}
				if changed {
					since = now
				}
				if !h.Since.Equal(since) {
					t.Errorf("after %q: since %v, want %v", c.probes[:i+1], h.Since, since)
				}
				if (h.Reason != "") != (p == 'm') {
					t.Errorf("after %q: reason %q", c.probes[:i+1], h.Reason)
				}
			}
		})
	}
}

func TestThresholdsAreFollowed(t *testing.T) {
	h := Health{State: Up}
	limits := Thresholds{Misses: 1, Successes: 1}
	if h.Observe(Missed, "", time.Time{}, limits); h.State != Down {
		t.Errorf("after one miss: got %s, want down", h.State)
	}
	if h.Observe(IsReady, "", time.Time{}, limits); h.State != Up {
		t.Errorf("after one success: got %s, want up", h.State)
	}
}
