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
