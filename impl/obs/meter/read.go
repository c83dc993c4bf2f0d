package meter

import (
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// Distribution is a histogram, summed over lanes.
type Distribution struct {
	Count uint64
	Sum   time.Duration
	// Within counts what took at most as long as the bound of that index, shorter
	// ones included.
	Within [len(Bounds)]uint64
}

// Answers counts answers of one status and source.
type Answers struct {
	Status   int // 0: no answer; -1: one of many that are not told apart
	Upstream bool
	Count    uint64
}

// Reading is a series, summed over lanes. Its parts are read one after the other
// while requests go on.
type Reading struct {
	Answers                []Answers // in no order
	Request, Upstream, Own Distribution
	Received, Sent         uint64
	Retries                uint64
	Failures               [exchange.FailureKinds]uint64
	Cuts                   [exchange.CutReasons]uint64
}

// Read sums the lanes.
func (s *Series) Read() Reading {
	var r Reading
	answers := map[uint64]uint64{}
	rest := uint64(0)
	for i := range s.cells {
		c := s.cells[i].Load()
		if c == nil {
			continue
		}
		c.first.addTo(answers)
		for j := range c.statuses {
			c.statuses[j].addTo(answers)
		}
		rest += c.rest.Load()
		c.took.addTo(ofRequest, &r.Request)
		c.took.addTo(ofUpstream, &r.Upstream)
		c.took.addTo(ofUs, &r.Own)
		r.Received += c.in.Load()
		r.Sent += c.out.Load()
		r.Retries += c.retries.Load()
		for k := range c.failures {
			r.Failures[k] += c.failures[k].Load()
		}
		for k := range c.cuts {
			r.Cuts[k] += c.cuts[k].Load()
		}
	}
	for what, n := range answers {
		r.Answers = append(r.Answers, Answers{int(what >> 2), what&2 != 0, n})
	}
	if rest > 0 {
		r.Answers = append(r.Answers, Answers{Status: -1, Count: rest})
	}
	return r
}

func (s *status) addTo(answers map[uint64]uint64) {
	if what := s.what.Load(); what != 0 {
		answers[what] += s.n.Load()
	}
}

func (h *histograms) addTo(k kind, d *Distribution) {
	d.Sum += time.Duration(h.sum[k].Load())
	n := uint64(0)
	for i := range buckets {
		n += h.bucket(k, i)
		if i < len(Bounds) {
			d.Within[i] += n
		}
	}
	d.Count += n
}

// requests is how many were counted.
func (s *Series) requests() (n uint64) {
	for i := range s.cells {
		if c := s.cells[i].Load(); c != nil {
			for j := range buckets {
				n += c.took.bucket(ofRequest, j)
			}
		}
	}
	return n
}
