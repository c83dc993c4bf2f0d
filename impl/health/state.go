package health

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Status is one of the four states of a target.
type Status uint8

const (
	// Unhealthy is the zero value: a target nobody vouches for.
	Unhealthy Status = iota
	// MostlyUnhealthy is unhealthy, with successes counted already.
	MostlyUnhealthy
	// MostlyHealthy is healthy, with failures counted already.
	MostlyHealthy
	// Healthy is what every target starts as.
	Healthy
)

var statusNames = [...]string{"unhealthy", "mostly_unhealthy", "mostly_healthy", "healthy"}

func (s Status) String() string { return statusNames[s] }

// MarshalText returns the name.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (s *Status) UnmarshalText(text []byte) error {
	i := slices.Index(statusNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("health %q: want one of %s", text, strings.Join(statusNames[:], ", "))
	}
	*s = Status(i)
	return nil
}

// usable tells whether a target of that status gets traffic.
func (s Status) usable() bool { return s >= MostlyHealthy }

// Event is what a probe found out.
type Event uint8

// What a probe may find out.
const (
	Ignored     Event = iota // an answer that counts neither way
	Success                  // connected, or a status that means healthy
	HTTPFailure              // a status that means unhealthy, or no readable answer
	TCPFailure               // refused, reset, unreachable, or TLS failed
	Timeout                  // no connection or no answer in time
)

// Limits are the numbers of events in a row that flip a state. 0 switches a
// counter off.
type Limits struct{ Successes, HTTPFailures, TCPFailures, Timeouts int }

// Counters count events since the last of the opposite kind.
type Counters struct {
	Success     int `json:"success"`
	HTTPFailure int `json:"http_failure"`
	TCPFailure  int `json:"tcp_failure"`
	Timeout     int `json:"timeout_failure"`
}

// State is the health of one target under one check.
type State struct {
	status atomic.Uint32 // read by every pick; the padding keeps its line to itself
	_      [60]byte

	mu       sync.Mutex
	counters Counters
	since    time.Time // of the last flip between usable and not
	last     string    // what the last failed probe said
	address  netip.Addr
}

func newState(now time.Time) *State {
	s := &State{since: now}
	s.status.Store(uint32(Healthy))
	return s
}

// Usable tells whether the target should get traffic.
func (s *State) Usable() bool { return s.Status().usable() }

// Status returns the state.
func (s *State) Status() Status { return Status(s.status.Load()) }

// Report counts an event, as APISIX's checker does, and tells whether the
// target became usable or stopped being so:
//
//   - a success while healthy and a failure while unhealthy count nothing;
//   - a success clears all failure counters, a failure clears the successes
//     but no other failure counter;
//   - a flip does not clear the counter that caused it.
func (s *State) Report(e Event, l Limits, detail string, now time.Time) (flipped bool) {
	if e == Ignored || e == Success && s.Status() == Healthy {
		return false // the usual case, at every request of a passive check
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.Status()
	after := before
	switch e {
	case Success:
		after = s.success(before, l.Successes)
	case HTTPFailure:
		after = s.failure(before, &s.counters.HTTPFailure, l.HTTPFailures)
	case TCPFailure:
		after = s.failure(before, &s.counters.TCPFailure, l.TCPFailures)
	case Timeout:
		after = s.failure(before, &s.counters.Timeout, l.Timeouts)
	}
	if e != Success {
		s.last = detail
	}
	s.status.Store(uint32(after))
	if before.usable() == after.usable() {
		return false
	}
	s.since = now
	return true
}

func (s *State) success(before Status, limit int) Status {
	if before == Healthy || limit == 0 {
		return before
	}
	s.counters = Counters{Success: s.counters.Success + 1}
	switch {
	case s.counters.Success >= limit:
		return Healthy
	case before == Unhealthy:
		return MostlyUnhealthy
	}
	return before
}

func (s *State) failure(before Status, counter *int, limit int) Status {
	if before == Unhealthy || limit == 0 {
		return before
	}
	s.counters.Success = 0
	*counter++
	switch {
	case *counter >= limit:
		return Unhealthy
	case before == Healthy:
		return MostlyHealthy
	}
	return before
}

// View is a State for a status page.
type View struct {
	Status   Status    `json:"status"`
	Counters Counters  `json:"counter"`
	Since    time.Time `json:"since"`
	Last     string    `json:"last_failure,omitempty"`
	// Address is where the last probe went that got as far as an address: of a target
	// that is a name, one that it stood for then. Not valid: there was none yet.
	Address netip.Addr `json:"address,omitzero"`
}

// probed remembers where a probe went.
func (s *State) probed(a netip.Addr) {
	if !a.IsValid() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address = a
}

// View returns a consistent copy.
func (s *State) View() View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return View{s.Status(), s.counters, s.since, s.last, s.address}
}

// String is for logs.
func (s *State) String() string {
	v := s.View()
	return fmt.Sprintf("%s %+v", v.Status, v.Counters)
}
