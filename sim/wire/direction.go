package wire

import (
	"errors"
	"os"
	"reflect"
	"sync"
	"time"

	"github.com/unilb/unilb/sim/capture"
	"github.com/unilb/unilb/topology"
)

// MaxBacklog is how long a frame waits for its turn on a line with a rate; one
// that would have to wait longer is lost, as in a router whose buffer is full.
const MaxBacklog = 250 * time.Millisecond

// A direction carries frames from one tap to the other. One goroutine reads and
// decides, another hands over what is due.
type direction struct {
	from, to *os.File
	o        Options
	which    Direction
	alarm    *alarm

	mu     sync.Mutex
	closed bool
	cut    bool
	stats  Stats

	set        topology.Impairment
	plain      bool // set is zero
	generation uint64
	dice       dice
	places     places
	n          uint64 // IPv4 frames of this generation

	queue  queue
	under  int       // bytes in the queue
	seq    uint64    // frames that were ever queued
	busy   bool      // a frame is being handed over outside mu
	newest time.Time // when the newest frame that keeps its order is due
	free   time.Time // when the line has carried what was given to it; with a rate
}

func newDirection(from, to *os.File, which Direction, o Options) (*direction, error) {
	d := &direction{from: from, to: to, which: which, o: o, plain: true}
	set := o.AB
	if which == BToA {
		set = o.BA
	}
	if err := d.force(set, 0); err != nil {
		return nil, err
	}
	var err error
	d.alarm, err = newAlarm()
	return d, err
}

// impair implements Wire.Impair.
func (d *direction) impair(set topology.Impairment) error {
	if len(set.At) == 0 {
		set.At = nil // so that none is equal to none
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if reflect.DeepEqual(set, d.set) {
		return nil
	}
	return d.force(set, d.generation+1)
}

// force puts an impairment in force and counts from nothing.
func (d *direction) force(set topology.Impairment, generation uint64) error {
	if err := checkRanges(set); err != nil {
		return err
	}
	places, err := newPlaces(set.At)
	if err != nil {
		return err
	}
	d.set, d.plain, d.places = set, set.IsZero(), places
	d.generation, d.n, d.free = generation, 0, time.Time{}
	d.dice = newDice(d.o.Seed, d.o.Name, d.which, generation)
	return nil
}

func (d *direction) setCut(cut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = cut
	if !cut {
		return
	}
	for _, f := range d.queue {
		d.stats.Cut++
		f.free()
	}
	clear(d.queue)
	d.queue, d.under = d.queue[:0], 0
	d.newest, d.free = time.Time{}, time.Time{}
}

func (d *direction) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.alarm.close()
}

// read takes frames from one end until the cable is closed.
func (d *direction) read() {
	scratch := make([]byte, maxFrame)
	for {
		n, err := d.from.Read(scratch)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil || n < offloadHeader {
			continue // the interface is down: the poller blocks until it is not
		}
		d.take(scratch[:n])
	}
}

// take decides what becomes of a frame that entered.
func (d *direction) take(b []byte) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Entered++
	v := verdict{lost: &d.stats.Cut, note: "lost: cut"}
	if !d.cut {
		v = d.judge(b)
	}
	if v.lost != nil {
		*v.lost++
	} else if !d.carry(b, v, now) {
		v.note = "lost: queue full"
	} else {
		v.note = v.text()
	}
	if d.o.Ring != nil {
		way := capture.Outbound
		if d.which == BToA {
			way = capture.Inbound
		}
		d.o.Ring.Add(now, way, v.note, ethernet(b), len(b)-offloadHeader)
	}
}

// carry sends a frame on its way, damaged or twice if the verdict says so. It is
// false when none of it found room.
func (d *direction) carry(b []byte, v verdict, now time.Time) bool {
	frames := [][]byte{b}
	if v.corrupt {
		frames = damage(b, v.bit)
	}
	some := false
	for _, f := range frames {
		some = d.send(f, v, now) || some
		if v.duplicate {
			some = d.send(f, v, now) || some
		}
	}
	return some
}

func (d *direction) send(b []byte, v verdict, now time.Time) bool {
	due, ok := d.due(len(b)-offloadHeader, v, now)
	if !ok || d.under+len(b) > d.o.Queue {
		d.stats.Full++
		return false
	}
	if len(d.queue) == 0 && !d.busy && !due.After(now) {
		d.delivered(b, d.handOver(b))
		return true
	}
	d.seq++
	d.queue.push(newFrame(b, due, d.seq))
	d.under += len(b)
	if d.queue[0].seq == d.seq && !d.busy && !d.closed {
		d.alarm.set(time.Until(due))
	}
	return true
}

// due is when a frame of so many bytes arrives; false when the backlog is too long.
func (d *direction) due(bytes int, v verdict, now time.Time) (time.Time, bool) {
	due := now
	if d.set.Rate > 0 {
		if d.free.Before(now) {
			d.free = now
		}
		if d.free.Sub(now) > MaxBacklog {
			return now, false
		}
		d.free = d.free.Add(time.Duration(float64(bytes) * 8 / float64(d.set.Rate) * float64(time.Second)))
		due = d.free
	}
	if v.reorder {
		return due.Add(v.late), true
	}
	due = due.Add(max(d.set.Delay+v.jitter, 0))
	if due.Before(d.newest) {
		due = d.newest // neither jitter nor a shorter delay reorders
	}
	d.newest = due
	return due.Add(v.late), true
}
