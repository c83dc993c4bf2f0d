package havoc

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/unilb/unilb/topology"
)

// Options of a Plan.
type Options struct {
	Seed  uint64
	Edits int
	// Targets are what routes send requests to: where each of the backends listens.
	Targets map[topology.Ref]netip.AddrPort
	// Gateways may be cut off and restarted, but for Spared, which is cut off only.
	Gateways []topology.Ref
	Spared   topology.Ref
	Members  []topology.Ref // of the store
}

// A Plan is what is done: the edits in their order, and beside them the faults in
// theirs, one at a time.
type Plan struct {
	Edits  []Edit  `json:"edits"`
	Faults []Fault `json:"faults"`
	// Kept is who answers for a route that is good at first and then overwritten with
	// junk: a gateway that has not been ended since goes on with what it had.
	Kept topology.Ref `json:"kept"`
}

// Kept asks for the route that is spoilt.
var Kept = Question{Host: "kept.havoc.example", Path: "/"}

// keptKey is that route.
const keptKey = "/routes/kept"

// The kinds of faults.
const (
	Cut     = "cut"     // gateways do not reach the store for a moment, and it forgets its past meanwhile
	Lose    = "lose"    // a member of the store is killed
	Freeze  = "freeze"  // a member of the store stops in the middle of its work
	Restart = "restart" // a gateway is killed, and started again
	Replace = "replace" // a member of the store is lost with its disk, another comes in its place; gateways are cut off for so long that they must ask anew
	Away    = "away"    // no member runs, and the disks are copied; a gateway is killed and started meanwhile
	Restore = "restore" // all members begin anew with what was copied
)

// A Fault is one thing that goes wrong.
type Fault struct {
	Kind string `json:"kind"`
	// On are the gateways, or the member, that it happens to.
	On []topology.Ref `json:"on,omitempty"`
	// Cut are gateways that are cut off as well.
	Cut []topology.Ref `json:"cut,omitempty"`
	// For is how long it lasts, beside what it takes.
	For time.Duration `json:"for"`
}

// New makes the plan of a seed. Each kind of fault comes once, the cut and the restart
// twice, in an order of chance but for some rules. A member is replaced before others
// were away, for a cluster takes nobody in whose members have not been together for five
// seconds. The store is away in the second half, when gateways have had the time to keep
// what they were given, and restored after that.
func New(o Options) Plan {
	w := &writer{
		rng:     rand.New(rand.NewPCG(o.Seed, 0x6564697473)), // "edits": a stream of its own
		targets: o.Targets, refs: slices.Sorted(keys(o.Targets)),
	}
	p := Plan{Kept: w.refs[w.rng.IntN(len(w.refs))]}
	for n := range o.Edits {
		switch {
		case n == 0:
			p.Edits = append(p.Edits, w.kept(p.Kept))
		case n >= o.Edits/4 && n%max(o.Edits/8, 1) == 0: // again and again: a restored store has the good one
			p.Edits = append(p.Edits, Edit{Straight: true, Verb: Put, Key: keptKey, Value: "}{", Junk: "not JSON"})
		default:
			p.Edits = append(p.Edits, w.edit(n))
		}
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0x6661756c7473)) // "faults"
	kinds := []string{Cut, Cut, Lose, Freeze, Restart, Restart}
	rng.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	away := len(kinds)/2 + rng.IntN(len(kinds)/2+1)
	kinds = slices.Insert(kinds, away, Away)
	kinds = slices.Insert(kinds, away+1+rng.IntN(len(kinds)-away), Restore)
	first := slices.IndexFunc(kinds, func(k string) bool { return k != Cut && k != Restart })
	for _, kind := range slices.Insert(kinds, rng.IntN(first+1), Replace) {
		p.Faults = append(p.Faults, o.fault(rng, kind))
	}
	return p
}

func (o Options) fault(rng *rand.Rand, kind string) Fault {
	f := Fault{Kind: kind, For: 500*time.Millisecond + time.Duration(rng.IntN(1000))*time.Millisecond}
	restartable := slices.DeleteFunc(slices.Clone(o.Gateways), func(r topology.Ref) bool { return r == o.Spared })
	switch kind {
	case Cut:
		f.On = some(rng, o.Gateways)
	case Replace:
		f.Cut = some(rng, o.Gateways)
		fallthrough
	case Lose, Freeze:
		f.On = []topology.Ref{o.Members[rng.IntN(len(o.Members))]}
	case Restart, Away:
		f.On = []topology.Ref{restartable[rng.IntN(len(restartable))]}
	}
	return f
}

// some are one of them at least, and all at most.
func some(rng *rand.Rand, of []topology.Ref) []topology.Ref {
	of = slices.Clone(of)
	rng.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
	return of[:1+rng.IntN(len(of))]
}
