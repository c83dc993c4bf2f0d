package history

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// MaxRecords is the most records of one kind a Recorder keeps, by default.
// Beyond it records are counted as lost, and no check calls such a history
// valid. At 5,000 operations a second it lasts ten minutes.
const MaxRecords = 3_000_000

// A Recorder collects the evidence of one run. All methods may be called at
// any time from any goroutine. Those that record cost well under a microsecond;
// Snapshot copies, and holds nobody up meanwhile.
type Recorder struct {
	clock Clock
	max   int

	mu            sync.Mutex
	seq           uint64
	ops           pile[Op]
	arrivals      pile[Arrival]
	writes        []Write
	admin         []AdminCall
	faults        map[string]FaultWindow
	spans         map[string]Span
	events        []Event
	before, after *Census
	lost          int
	names         map[string]int // reserved, with the last suffix given
	reserved      uint64
}

// NewRecorder starts recording on the given clock.
func NewRecorder(c Clock) *Recorder {
	// The upper half of a sequence number tells recorders apart, so that
	// Merge can drop records that two histories share and keep all others.
	return &Recorder{
		clock: c, max: MaxRecords, seq: uint64(rand.Uint32N(1<<31)) << 32,
		faults: map[string]FaultWindow{}, spans: map[string]Span{},
	}
}

// Now is the time on the run's clock.
func (r *Recorder) Now() time.Duration { return r.clock.Now() }

// Clock is the run's clock.
func (r *Recorder) Clock() Clock { return r.clock }

// number gives the next record of a kind of which kept are kept its sequence
// number, or counts it as lost. r.mu is held.
func (r *Recorder) number(kept int) (seq uint64, ok bool) {
	if kept >= r.max {
		r.lost++
		return 0, false
	}
	r.seq++
	return r.seq, true
}

// Op records an operation that has ended.
func (r *Recorder) Op(o Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq, ok := r.number(r.ops.len()); ok {
		o.Seq = seq
		r.ops.add(o)
	}
}

// Arrival records a request that a backend saw.
func (r *Recorder) Arrival(a Arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq, ok := r.number(r.arrivals.len()); ok {
		a.Seq = seq
		r.arrivals.add(a)
	}
}

// Write records a change of the configuration.
func (r *Recorder) Write(w Write) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq, ok := r.number(len(r.writes)); ok {
		w.Seq = seq
		r.writes = append(r.writes, w)
	}
}

// InForce notes, of all writes that are selected, that the system under test says
// that they are in force everywhere. What it said earlier stays.
func (r *Recorder) InForce(selected func(Write) bool) {
	now := r.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.writes {
		if w := &r.writes[i]; w.InForce == 0 && selected(*w) {
			w.InForce = now
		}
	}
}

// Admin records a call of the Admin API that has ended.
func (r *Recorder) Admin(a AdminCall) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq, ok := r.number(len(r.admin)); ok {
		a.Seq = seq
		r.admin = append(r.admin, a)
	}
}

// Fault records a fault; called again with the same ID it replaces the window,
// so that a fault is on record from its first moment and gets its end later.
func (r *Recorder) Fault(f FaultWindow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.faults[f.ID]; !known && len(r.faults) >= r.max {
		r.lost++
		return
	}
	r.faults[f.ID] = f
}

// Span records a named window; called again with the same name it replaces the
// window.
func (r *Recorder) Span(s Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.spans[s.Name]; !known && len(r.spans) >= r.max {
		r.lost++
		return
	}
	r.spans[s.Name] = s
}

// Before records what was there before the lab, After what is there after it. A
// later call replaces an earlier one; a zero At means now.
func (r *Recorder) Before(c Census) { r.census(&r.before, c) }

// After is the other half of Before.
func (r *Recorder) After(c Census) { r.census(&r.after, c) }

func (r *Recorder) census(into **Census, c Census) {
	if c.At == 0 {
		c.At = r.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	*into = &c
}

// Event records a line of the timeline; a zero At means now.
func (r *Recorder) Event(e Event) {
	if e.At == 0 {
		e.At = r.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq, ok := r.number(len(r.events)); ok {
		e.Seq = seq
		r.events = append(r.events, e)
	}
}

// Snapshot is everything recorded so far.
func (r *Recorder) Snapshot() *History {
	h, ops, arrivals := r.snapshot()
	h.Ops, h.Arrivals = ops.slice(), arrivals.slice()
	return h
}

// A Mark is a moment of a recording. The zero Mark is its beginning.
type Mark struct{ ops, arrivals int }

// Mark is now.
func (r *Recorder) Mark() Mark {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Mark{ops: r.ops.len(), arrivals: r.arrivals.len()}
}

// Since has the operations and arrivals that were recorded after a mark, and
// nothing else of the run: it costs what it returns, however long the run is.
func (r *Recorder) Since(m Mark) *History {
	r.mu.Lock()
	ops, arrivals := r.ops.view(), r.arrivals.view()
	h := &History{Start: r.clock.Start(), Lost: r.lost}
	r.mu.Unlock()
	h.Ops, h.Arrivals = ops.after(m.ops), arrivals.after(m.arrivals)
	return h
}

// snapshot is a snapshot whose large parts are yet to be copied.
func (r *Recorder) snapshot() (*History, pile[Op], pile[Arrival]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &History{
		Start:      r.clock.Start(),
		Writes:     slices.Clone(r.writes),
		AdminCalls: slices.Clone(r.admin),
		Faults:     slices.SortedFunc(maps.Values(r.faults), compareFaults),
		Spans:      slices.SortedFunc(maps.Values(r.spans), compareSpans),
		Events:     slices.Clone(r.events),
		Before:     r.before,
		After:      r.after,
		Lost:       r.lost,
	}, r.ops.view(), r.arrivals.view()
}
