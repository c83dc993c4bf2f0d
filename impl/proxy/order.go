package proxy

import (
	"github.com/unilb/unilb/impl/balance"
	"github.com/unilb/unilb/impl/config"
)

// Order tells for each lane which targets the next request for an upstream would try, by
// their indexes, one after the other. Nothing moves: a request that really comes does what
// it would have done. It is for people.
func (p *Pipeline) Order(up *config.Upstream) [][]int {
	out := make([][]int, len(p.lanes))
	for i := range p.lanes {
		rr, usable := p.whereIs(i, up)
		var tried balance.Tried
		for len(out[i]) < up.Tries {
			target, ok := rr.Pick(usable, &tried)
			if !ok {
				break
			}
			tried.Add(target)
			out[i] = append(out[i], target)
		}
	}
	return out
}

// whereIs is a copy of the position of a lane, or the one that it would begin with.
func (p *Pipeline) whereIs(laneNo int, up *config.Upstream) (*balance.RoundRobin, balance.Usable) {
	l := &p.lanes[laneNo]
	l.mu.Lock()
	defer l.mu.Unlock()
	if pos := l.positions[up.Key]; pos != nil && pos.up == up {
		return pos.rr.Clone(), pos.usable
	}
	var usable balance.Usable
	if p.o.Health != nil {
		usable = p.o.Health(up)
	}
	return balance.NewRoundRobin(up.Members, p.o.Seed+uint64(laneNo)), usable
}
