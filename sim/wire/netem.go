package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/unilb/unilb/sim/capture"
	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/topology"
)

// netemWire is a kernel link with a netem on each end.
type netemWire struct {
	name   string
	dirs   [2]*netemDirection
	stop   func() // ends the capture, and waits for it
	a      link.End
	once   sync.Once
	closed error // of Close
}

var _ Wire = (*netemWire)(nil)

// shaper is the interface through which a direction leaves.
type shaper interface {
	set(generation uint16, n link.Netem) error
	stats() (link.NetemStats, error)
}

type netemEnd struct{ link.End }

func (e netemEnd) set(generation uint16, n link.Netem) error {
	return e.Stack.SetNetem(e.Name, generation, n)
}

func (e netemEnd) stats() (link.NetemStats, error) { return e.Stack.NetemStats(e.Name) }

// netemDirection is one direction over netem.
type netemDirection struct {
	via shaper

	mu         sync.Mutex
	set        topology.Impairment
	cut        bool
	generation uint16
	before     Stats // of the generations before this one
}

func layNetem(a, b link.End, o Options) (Wire, error) {
	if err := link.Veth(a, b); err != nil {
		return nil, err
	}
	w := &netemWire{name: o.Name, a: a, stop: func() {}}
	w.dirs = [2]*netemDirection{{via: netemEnd{a}, generation: 1}, {via: netemEnd{b}, generation: 1}}
	for d, i := range []topology.Impairment{o.AB, o.BA} {
		if err := w.dirs[d].impair(i); err != nil {
			return nil, errors.Join(fmt.Errorf("lay wire %s %s: %w", o.Name, Direction(d), err), w.Close())
		}
	}
	if o.Ring == nil {
		return w, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, err := capture.Sniff(ctx, a.Stack.NS(), a.Name, o.Ring)
	if err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("lay wire %s: %w", o.Name, err), w.Close())
	}
	w.stop = func() {
		cancel()
		_, _ = s.Wait() // the ring knows what was dropped
	}
	return w, nil
}

// layAuto lays the best wire that this machine can.
func layAuto(a, b link.End, o Options) (Wire, error) {
	f, noTAP := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if noTAP == nil {
		_ = f.Close()
		return layCable(a, b, o)
	}
	noNetem := link.Probe(link.FeatureNetem)
	for _, i := range []topology.Impairment{o.AB, o.BA} {
		if noNetem == nil {
			_, noNetem = netemOf(i)
		}
	}
	if noNetem != nil {
		return nil, fmt.Errorf("lay wire %s: neither TAP devices (%w) nor netem (%w)", o.Name, noTAP, noNetem)
	}
	return layNetem(a, b, o)
}

func (w *netemWire) Medium() Medium { return MediumNetem }

func (w *netemWire) Check(i topology.Impairment) error {
	_, err := netemOf(i)
	return err
}

func (w *netemWire) Impair(d Direction, i topology.Impairment) error {
	if err := w.dirs[d].impair(i); err != nil {
		return fmt.Errorf("impair %s %s: %w", w.name, d, err)
	}
	return nil
}

func (d *netemDirection) impair(i topology.Impairment) error {
	n, err := netemOf(i)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.cut {
		if err := d.via.set(d.generation, n); err != nil {
			return err
		}
	}
	d.set = i
	return nil
}

func (w *netemWire) Impairment(d Direction) topology.Impairment {
	w.dirs[d].mu.Lock()
	defer w.dirs[d].mu.Unlock()
	return w.dirs[d].set
}

// Cut implements Wire. When the kernel refuses, IsCut says what is.
func (w *netemWire) Cut(d Direction, cut bool) { w.dirs[d].setCut(cut) }

func (d *netemDirection) setCut(cut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if cut == d.cut {
		return
	}
	n, err := netemOf(d.set)
	if cut {
		n = link.Netem{Loss: 1, Limit: netemLimit}
	}
	if err != nil {
		return
	}
	// Another generation, so that what is under way goes.
	counts, next := d.counts(true), 3-d.generation
	if d.via.set(next, n) == nil {
		d.before, d.generation, d.cut = counts, next, cut
	}
}

func (w *netemWire) IsCut(d Direction) bool {
	w.dirs[d].mu.Lock()
	defer w.dirs[d].mu.Unlock()
	return w.dirs[d].cut
}

// Stats implements Wire. Netem counts neither the kinds of harm nor what it lost
// for want of room apart: all that was lost, but for a cut, is Lost.
func (w *netemWire) Stats(d Direction) Stats {
	w.dirs[d].mu.Lock()
	defer w.dirs[d].mu.Unlock()
	return w.dirs[d].counts(false)
}

// counts are the counters up to now. When the generation ends, what is under way
// ends with it.
func (d *netemDirection) counts(ends bool) Stats {
	s := d.before
	now, err := d.via.stats()
	if err != nil {
		return s // the interface is gone
	}
	s.Entered += now.Frames + now.Dropped + now.Queued
	s.Frames += now.Frames
	s.Bytes += now.Bytes
	if d.cut {
		s.Cut += now.Dropped
	} else {
		s.Lost += now.Dropped
	}
	if ends {
		s.Cut += now.Queued
	}
	return s
}

// Close implements Wire: one end of a kernel link takes the other with it.
func (w *netemWire) Close() error {
	w.once.Do(func() {
		w.stop()
		w.closed = w.a.Stack.Delete(w.a.Name)
	})
	return w.closed
}
