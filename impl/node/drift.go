package node

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

// DefaultCompareEvery is the mean time between two comparisons.
const DefaultCompareEvery = 10 * time.Second

const (
	// pastSteps is how many revisions of a prefix a node remembers the hash of: while
	// configuration changes all the time, reports of others are of a moment ago.
	pastSteps = 512
	// listedDrifts is how many drifts are kept and listed.
	listedDrifts = 32
)

// A Drift is another registered node of this kind that has something else in force at
// the same revision: one of the two serves what nobody asked for.
type Drift struct {
	Node     string     `json:"node"`
	Prefix   string     `json:"prefix"`
	Revision int64      `json:"revision"`
	Hash     store.Hash `json:"hash"` // that node's
	Ours     store.Hash `json:"ours"`
}

// past is what a node had in force under a prefix lately: a ring.
type past struct {
	steps []step
	next  int // where the oldest is, once the ring is full
}

type step struct {
	rev  int64
	hash store.Hash
}

func (p *past) add(s step) {
	if len(p.steps) < pastSteps {
		p.steps = append(p.steps, s)
		return
	}
	p.steps[p.next] = s
	p.next = (p.next + 1) % pastSteps
}

// at returns the hash of a revision, the newest if there are several. Nothing has changed
// since the last step up to revision frontier.
func (p *past) at(rev, frontier int64) (hash store.Hash, ok bool) {
	if p == nil || len(p.steps) == 0 {
		return 0, false
	}
	if last := p.steps[(p.next+len(p.steps)-1)%len(p.steps)]; last.rev <= rev && rev <= frontier {
		return last.hash, true
	}
	for i := range p.steps {
		s := p.steps[(p.next+len(p.steps)-1-i)%len(p.steps)]
		if s.rev == rev {
			return s.hash, true
		}
	}
	return 0, false
}

// Drifts returns the nodes that differ from this one, ordered by name, and by prefix with
// how many others it was compared at the last time: those that were at a revision that
// this node was at lately. Of two nodes that began at different times while nothing is
// changed, only the older one can tell.
func (n *Node) Drifts() (drifts []Drift, compared map[string]int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	compared = make(map[string]int, len(n.hash))
	for prefix := range n.hash {
		compared[prefix] = n.compared[prefix]
	}
	return append([]Drift{}, n.drifts...), compared
}

// compareUntil compares this node with the others of its kind from time to time.
func (n *Node) compareUntil(ctx context.Context) {
	for pause(ctx, n.compareEvery/2+rand.N(n.compareEvery)) {
		if err := n.compareAll(ctx); err != nil && ctx.Err() == nil {
			n.log.Debug("not compared with other nodes", obs.Err, err)
		}
	}
}

func (n *Node) compareAll(ctx context.Context) error {
	n.mu.Lock()
	silent := len(n.hash) == 0
	n.mu.Unlock()
	if silent {
		return nil
	}
	regs, _, err := n.st.List(ctx, RegistryPrefix+n.reg.Kind)
	if err != nil {
		return err
	}
	reports, _, err := n.st.List(ctx, ReportPrefix+n.reg.Kind)
	if err != nil {
		return err
	}
	count := make(map[string]bool, len(regs))
	for _, kv := range regs {
		if reg, err := ParseRegistration(kv.Value); err == nil && reg.State != Draining && reg.Name != n.reg.Name {
			count[reg.Name] = true
		}
	}
	var others []Report
	for _, kv := range reports {
		if r, err := ParseReport(kv.Value); err == nil && count[r.Name] {
			others = append(others, r)
		}
	}
	n.compare(others)
	return nil
}

// compare notes who of the others differs, and logs what has changed in that. A node
// that cannot be compared now, because it is behind or ahead, stays what it was.
func (n *Node) compare(others []Report) {
	frontiers := make(map[string]int64, len(n.reg.Watches)) // read before what is in force
	for _, prefix := range n.reg.Watches {
		frontiers[clean(prefix)] = n.st.Frontier(prefix)
	}
	n.mu.Lock()
	var found []Drift
	compared := map[string]int{}
	for _, r := range others {
		for prefix, hash := range r.Hash {
			ours, ok := n.past[prefix].at(r.Applied[prefix], frontiers[prefix])
			switch {
			case !ok:
				i := slices.IndexFunc(n.drifts, func(d Drift) bool { return d.Node == r.Name && d.Prefix == prefix })
				if i >= 0 {
					found = append(found, n.drifts[i])
				}
			case hash != ours:
				found = append(found, Drift{r.Name, prefix, r.Applied[prefix], hash, ours})
				compared[prefix]++
			default:
				compared[prefix]++
			}
		}
	}
	slices.SortFunc(found, func(a, b Drift) int { return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Prefix, b.Prefix)) })
	found = found[:min(len(found), listedDrifts)]
	before := n.drifts
	n.drifts, n.compared = found, compared
	n.mu.Unlock()
	for _, d := range found {
		if !among(before, d) {
			n.log.Error("drift: another node has something else in force at the same revision",
				"other", d.Node, obs.Prefix, d.Prefix, obs.Rev, d.Revision, "hash", d.Hash, "ours", d.Ours)
		}
	}
	for _, d := range before {
		if !among(found, d) {
			n.log.Info("drift is over", "other", d.Node, obs.Prefix, d.Prefix)
		}
	}
}

// among reports whether one of drifts is of the same node and prefix.
func among(drifts []Drift, d Drift) bool {
	return slices.ContainsFunc(drifts, func(o Drift) bool { return o.Node == d.Node && o.Prefix == d.Prefix })
}
