package l4

import (
	"fmt"
	"time"
)

// A State says what a member may get. The numbers are those of the eBPF programs.
type State uint8

// The states of a member. The zero value gets nothing.
const (
	Unknown  State = iota // not yet probed often enough
	Up                    // in the ring
	Draining              // keeps its connections, gets no new ones
	Down                  // gets nothing; its connections move
)

var stateNames = [...]string{"unknown", "up", "draining", "down"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// MarshalText makes the state readable in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// An Outcome is the answer to one probe. The zero value is a miss.
type Outcome uint8

// The outcomes of a probe.
const (
	Missed     Outcome = iota // no answer in time, or not one of the two below
	IsReady                   // 200
	IsDraining                // 503 and state draining
)

// Thresholds say how many probes in a row change a state.
type Thresholds struct {
	Misses    int // until down; zero means 3
	Successes int // until up; zero means 2
}

// The defaults of Thresholds.
const (
	DefaultMisses    = 3
	DefaultSuccesses = 2
)

func (t Thresholds) withDefaults() Thresholds {
	if t.Misses <= 0 {
		t.Misses = DefaultMisses
	}
	if t.Successes <= 0 {
		t.Successes = DefaultSuccesses
	}
	return t
}

// Health is what probes have found out about one member. The zero value is a
// member nobody has probed. It is a plain value: not safe for concurrent use.
type Health struct {
	State  State
	Since  time.Time // when State was entered
	Reason string    // of the last miss; empty after a success

	misses, successes int // in a row
}

// Observe takes the outcome of one probe and reports whether the state changed.
// A member that says it is draining is believed at once: it knows best, and each
// connection it gets from then on is one it will have to cut.
func (h *Health) Observe(o Outcome, reason string, now time.Time, t Thresholds) bool {
	t = t.withDefaults()
	next := h.State
	switch o {
	case IsReady:
		h.misses, h.Reason = 0, ""
		if h.successes++; h.successes >= t.Successes {
			next = Up
		}
	case IsDraining:
		h.misses, h.successes, h.Reason = 0, 0, ""
		next = Draining
	default:
		h.successes, h.Reason = 0, reason
		if h.misses++; h.misses >= t.Misses {
			next = Down
		}
	}
	// Counting further would only overflow one day.
	h.misses, h.successes = min(h.misses, t.Misses), min(h.successes, t.Successes)
	if next == h.State {
		return false
	}
	h.State, h.Since = next, now
	return true
}
