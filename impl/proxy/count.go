package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/obs/meter"
)

// counts finds the series of a request without a lock and without hashing its names:
// by the compiled route, which is one pointer for as long as it does not change.
type counts struct {
	m     *meter.Meter
	bound sync.Map // *config.Route to *bound
	n     atomic.Int64
	swept atomic.Int64 // when room was made last, in Unix nanoseconds
}

// bound are the series of a route while it has this upstream.
type bound struct {
	up    *config.Upstream               // nil: it has none
	nodes []atomic.Pointer[meter.Series] // by target; the last: no target was tried
}

const (
	// mostBound bounds the routes that are found so; others take the long way.
	mostBound = 1 << 16
	// sweepEvery is how often room is made at most while there is none.
	sweepEvery = 10 * time.Second
)

// count counts what came of a request.
func (p *Pipeline) count(x *exchange.Exchange, f *flow, rec exchange.Record) {
	o := meter.Outcome{Status: rec.Status, Took: rec.Duration, Received: rec.Received, Sent: rec.Sent, Retries: max(0, len(f.tries)-1), Cut: rec.Cut}
	if !f.heard.IsZero() {
		o.Asked, o.Upstream, o.Waited = true, f.answered, f.heard.Sub(f.begin)
	}
	p.seriesOf(f).Done(x.Lane, o)
}

// seriesOf returns the series of the request as it stands now.
func (p *Pipeline) seriesOf(f *flow) *meter.Series {
	if f.route == nil {
		return p.counts.m.None()
	}
	v, _ := p.counts.bound.Load(f.route)
	b, _ := v.(*bound)
	if b == nil || b.up != f.res.Upstream {
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
		s = p.counts.m.Series(keyOf(f), labelsOf(f.route))
		at.Store(s)
	}
	return s
}

// bind remembers the series of a route; nil when the request's configuration is not
// the one in force, for which nothing new is remembered.
func (p *Pipeline) bind(f *flow) *bound {
	if f.snap != p.snap.Load() || p.counts.n.Load() >= mostBound {
		return nil
	}
	b := &bound{up: f.res.Upstream}
	targets := 0
	if b.up != nil {
		targets = len(b.up.Targets)
	}
	b.nodes = make([]atomic.Pointer[meter.Series], targets+1)
	if _, had := p.counts.bound.Swap(f.route, b); !had {
		p.counts.n.Add(1)
	}
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
	l := meter.Labels{Service: r.Spec.ServiceID}
	if list := r.Spec.Paths(); len(list) == 1 {
		l.URI = list[0]
	}
	if list := r.Spec.HostNames(); len(list) == 1 {
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
		c.bound.Clear()
		c.n.Store(0)
		return
	}
	c.bound.Range(func(r, _ any) bool {
		if route := r.(*config.Route); snap.Route(route.ID) != route {
			if _, was := c.bound.LoadAndDelete(r); was {
				c.n.Add(-1)
			}
		}
		return true
	})
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
	if c.m == nil || !c.m.Full() && c.n.Load() < mostBound {
		return
	}
	now, last := p.o.Now().UnixNano(), c.swept.Load()
	if now-last >= int64(sweepEvery) && c.swept.CompareAndSwap(last, now) {
		p.SweepCounts()
	}
}
