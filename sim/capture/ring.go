package capture

import (
	"sync"
	"time"
)

// Snap is how many bytes of a frame are kept: an ordinary frame whole, and the
// headers and first bytes of a segment that crosses a link uncut.
const Snap = 2048

// DefaultRingBytes is the size of a ring whose size is not said.
const DefaultRingBytes = 4 << 20

// minRingBytes is room for a few frames.
const minRingBytes = 16 * Snap

// maxRingBytes keeps places in a ring within 32 bits.
const maxRingBytes = 1 << 30

// bytesPerEntry bounds the frames of a ring to its size divided by this: what is
// noted of the shortest frames takes no more memory than frames themselves.
const bytesPerEntry = 64

// epoch ties the wall clock to the monotonic clock once, so that a step of the
// wall clock does not change the order of frames.
var epoch = time.Now()

// A Direction says which way a frame went, as seen from the first end of a link.
// The zero value is not known.
type Direction uint8

// The directions.
const (
	Unknown  Direction = iota
	Outbound           // left the first end
	Inbound            // came to the first end
)

// A Sink takes the frames of one link. Add must not keep frame after it returns,
// and note is best a constant. Length is that of the frame when it was on the link;
// only its first Snap bytes need to be in frame. Lose counts frames that were on the
// link but could not be looked at.
type Sink interface {
	Add(at time.Time, d Direction, note string, frame []byte, length int)
	Lose(n uint64)
}

// A Ring keeps the newest frames of one link, in both directions. Once it is full
// it allocates nothing more.
type Ring struct {
	name string

	mu    sync.Mutex
	limit int
	buf   []byte // grows to limit
	next  int    // where in buf the next frame goes
	// entries is a ring of its own: the oldest is at first, and count are in use.
	entries      []entry
	first, count int
	seen         uint64
	lost         uint64
}

// entry describes one kept frame.
type entry struct {
	at        time.Duration // since epoch
	note      string
	off, n    uint32 // its place in buf
	length    uint32
	direction Direction
}

var _ Sink = (*Ring)(nil)

// NewRing makes a ring for the link called name that keeps as many of the newest
// frames as fit into limitBytes, 32 KiB to 1 GiB; 0: DefaultRingBytes. Memory is
// taken as frames come; what is noted of frames adds at most two thirds to it.
func NewRing(name string, limitBytes int) *Ring {
	if limitBytes <= 0 {
		limitBytes = DefaultRingBytes
	}
	return &Ring{name: name, limit: min(max(limitBytes, minRingBytes), maxRingBytes)}
}

// Name is the name of the link.
func (r *Ring) Name() string { return r.name }

// Seen is how many frames were added since the ring was made, kept or not.
func (r *Ring) Seen() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

// Kept is how many frames the ring holds now, and how many it has seen and not
// kept.
func (r *Ring) Kept() (kept, missing uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return uint64(r.count), r.seen + r.lost - uint64(r.count)
}

// Lose counts frames that were on the link but could not be added.
func (r *Ring) Lose(n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost += n
}

// Add keeps a frame, in place of the oldest ones when there is no room.
func (r *Ring) Add(at time.Time, d Direction, note string, frame []byte, length int) {
	if len(frame) > Snap {
		frame = frame[:Snap]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen++
	off := r.room(len(frame))
	copy(r.buf[off:], frame)
	r.push(entry{
		at: at.Sub(epoch), note: note, off: uint32(off), n: uint32(len(frame)),
		length: uint32(max(length, len(frame))), direction: d,
	})
}

// room makes room for n bytes and returns where it is.
func (r *Ring) room(n int) int {
	if r.next+n > len(r.buf) && len(r.buf) < r.limit {
		// Up to the limit there is no wrapping, and nothing has to go.
		grown := make([]byte, min(max(2*len(r.buf), minRingBytes), r.limit))
		copy(grown, r.buf)
		r.buf = grown
	}
	if r.next+n > len(r.buf) {
		// What lies behind is older than anything at the front.
		for r.count > 0 && r.oldest() >= r.next {
			r.drop()
		}
		r.next = 0
	}
	off := r.next
	for r.count > 0 && off <= r.oldest() && r.oldest() < off+n {
		r.drop()
	}
	if r.count == r.limit/bytesPerEntry {
		r.drop()
	}
	r.next += n
	return off
}

// oldest is the place of the oldest frame.
func (r *Ring) oldest() int { return int(r.entries[r.first].off) }

func (r *Ring) drop() {
	r.first = (r.first + 1) % len(r.entries)
	r.count--
}

func (r *Ring) push(e entry) {
	if r.count == len(r.entries) {
		grown := make([]entry, max(64, 2*r.count))
		for i := range r.count {
			grown[i] = r.entries[(r.first+i)%len(r.entries)]
		}
		r.entries, r.first = grown, 0
	}
	r.entries[(r.first+r.count)%len(r.entries)] = e
	r.count++
}

// snapshot copies what the ring keeps, oldest first.
func (r *Ring) snapshot() ([]kept, tally) {
	r.mu.Lock()
	defer r.mu.Unlock()
	data, frames := make([]byte, 0, len(r.buf)), make([]kept, 0, r.count)
	for i := range r.count {
		e := r.entries[(r.first+i)%len(r.entries)]
		start := len(data)
		data = append(data, r.buf[e.off:e.off+e.n]...)
		frames = append(frames, kept{entry: e, data: data[start:len(data):len(data)]})
	}
	return frames, tally{seen: r.seen + r.lost, missing: r.seen + r.lost - uint64(r.count)}
}

// kept is a frame out of a ring.
type kept struct {
	entry
	link int // index of its link
	data []byte
}
