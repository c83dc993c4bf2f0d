package history

import "time"

// A Clock counts from the start of a run. It reads the monotonic clock, so
// that stamps taken by clients and by backends of one process can be compared.
// The zero Clock is not usable; see NewClock.
type Clock struct{ start time.Time }

// NewClock starts a clock at zero.
func NewClock() Clock { return Clock{start: time.Now()} }

// Now is the time since the start of the run.
func (c Clock) Now() time.Duration { return time.Since(c.start) }

// Start is the wall-clock time of the run's start, for reports only.
func (c Clock) Start() time.Time { return c.start }

// A Window is a span of the run's clock. A zero To means that the end is not
// known yet: the window reaches to the end of the run.
type Window struct {
	From time.Duration `json:"from"`
	To   time.Duration `json:"to,omitempty"`
}

// Open says whether the window's end is not known.
func (w Window) Open() bool { return w.To == 0 }

// Plus gives the window a later end: what broke in a window may take a while
// to recover. An open window stays open.
func (w Window) Plus(d time.Duration) Window {
	if w.Open() {
		return w
	}
	return Window{From: w.From, To: w.To + d}
}

// Contains says whether the moment at lies in the window, both ends included.
func (w Window) Contains(at time.Duration) bool {
	return at >= w.From && (w.Open() || at <= w.To)
}

// Overlaps says whether the span from..to has a moment in common with the
// window.
func (w Window) Overlaps(from, to time.Duration) bool {
	return to >= w.From && (w.Open() || from <= w.To)
}
