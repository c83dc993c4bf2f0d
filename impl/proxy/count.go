package proxy

import (
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/obs/meter"
)

// counts finds the series of a request without a lock and without hashing its names: in
// the compiled route, which is the same for as long as it does not change.
type counts struct {
	m     *meter.Meter
	epoch atomic.Uint64 // of what was found; the earlier ones do not hold any more
	swept atomic.Int64  // when room was made last, in Unix nanoseconds
}

// bound are the series of a route while it has this upstream.
type bound struct {
	c     *counts
	epoch uint64
	up    *config.Upstream               // nil: it has none
	nodes []atomic.Pointer[meter.Series] // by target; the last: no target was tried
}

// sweepEvery is how often room is made at most while there is none.
const sweepEvery = 10 * time.Second

// count counts what came of a request.
func (p *Pipeline) count(x *exchange.Exchange, f *flow, rec exchange.Record) {
	o := meter.Outcome{Status: rec.Status, Took: rec.Duration, Received: rec.Received, Sent: rec.Sent, Retries: max(0, len(f.tries)-1), Cut: rec.Cut, CutReason: rec.CutReason}
	if !f.heard.IsZero() {
		o.Asked, o.Upstream, o.Waited = true, f.answered, f.heard.Sub(f.since)
	}
	p.seriesOf(f).Done(x.Lane, o)
}

// seriesOf returns the series of the request as it stands now.
func (p *Pipeline) seriesOf(f *flow) *meter.Series {
	if f.route == nil {
		return p.counts.m.None()
	}
	b, _ := f.route.Found.Load().(*bound)
	if b == nil || b.up != f.res.Upstream || b.epoch != p.counts.epoch.Load() || b.c != &p.counts {
		if b = p.bind(f); b == nil {
			return p.counts.m.Find(keyOf(f))
		}
	}
	at := &b.nodes[len(b.nodes)-1]
	if f.target != nil {
		at = &b.nodes[f.index]
	}
	s := at.Load()
	if s == nil || s.Gone() {
		if f.snap != p.snap.Load() {
			return p.counts.m.Find(keyOf(f)) // nothing is made for what may be gone
		}
		s = p.counts.m.Series(keyOf(f), labelsOf(f.route))
		at.Store(s)
	}
	return s
}

// bind remembers the series of a route; nil when the request's configuration is not
// the one in force, for which nothing new is remembered.
func (p *Pipeline) bind(f *flow) *bound {
	if f.snap != p.snap.Load() {
		return nil
	}
	b := &bound{c: &p.counts, epoch: p.counts.epoch.Load(), up: f.res.Upstream}
	targets := 0
	if b.up != nil {
		targets = len(b.up.Targets)
	}
	b.nodes = make([]atomic.Pointer[meter.Series], targets+1)
	f.route.Found.Store(b)
	return b
}

func keyOf(f *flow) meter.Key {
	k := meter.Key{Route: f.route.ID}
	if f.target != nil {
		k.Node = f.target.Host
	}
	return k
}

// labelsOf are the labels of a route. The patterns are told where there is one of
// each: which of several has matched would multiply the series.
func labelsOf(r *config.Route) meter.Labels {
	l := meter.Labels{Service: r.ServiceID}
	if list := r.Paths(); len(list) == 1 {
		l.URI = list[0]
	}
	if list := r.HostNames(); len(list) == 1 {
		l.Host = list[0]
	}
	return l
}

// SweepCounts drops the series whose route is gone, or whose node is no longer a
// target of it. Whoever reads the meter calls it before; it costs as much as there
// are series.
func (p *Pipeline) SweepCounts() {
	c := &p.counts
	if c.m == nil {
		return
	}
	snap, full := p.snap.Load(), c.m.Full()
	c.m.Keep(func(k meter.Key, l meter.Labels) bool {
		r := snap.Route(k.Route)
		return r != nil && labelsOf(r) == l && (k.Node == "" || hasNode(snap, r, k.Node))
	})
	if full { // those that were folded may have room now
		c.epoch.Add(1)
	}
}

func hasNode(snap *config.Snapshot, r *config.Route, node string) bool {
	res, err := snap.Resolve(r)
	if err != nil {
		return false
	}
	for i := range res.Upstream.Targets {
		if res.Upstream.Targets[i].Host == node {
			return true
		}
	}
	return false
}

// makeRoom sweeps when there is no room, for the case that nobody reads the meter.
func (p *Pipeline) makeRoom() {
	c := &p.counts
	if c.m == nil || !c.m.Full() {
		return
	}
	now, last := p.o.Now().UnixNano(), c.swept.Load()
	if now-last >= int64(sweepEvery) && c.swept.CompareAndSwap(last, now) {
		p.SweepCounts()
	}
}
