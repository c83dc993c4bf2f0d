package lab

import (
	"fmt"
	"slices"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

// Unavailable says that this machine cannot run a plan, and what still works.
type Unavailable struct {
	Lab   string
	Lacks string // a capability of sim/sandbox
	Why   error
	Works string
}

func (e *Unavailable) Error() string {
	return fmt.Sprintf("lab %s needs %s, which this machine lacks (%v); what still works: %s", e.Lab, e.Lacks, e.Why, e.Works)
}

func (e *Unavailable) Unwrap() error { return e.Why }

// Needs returns the capabilities that a plan needs.
func Needs(p *topology.Plan) []string {
	needs := []string{sandbox.CapNetNS}
	// The most demanding first: what still works without it works without the rest.
	if slices.ContainsFunc(p.Nodes, func(n topology.Node) bool {
		return slices.ContainsFunc(n.Processes, func(q topology.Process) bool { return pinDir(q) != "" })
	}) {
		needs = append(needs, sandbox.CapEBPF)
	}
	if slices.ContainsFunc(p.Links, func(l topology.Link) bool { return l.Kind == topology.LinkWire }) {
		needs = append(needs, sandbox.CapTUN)
	}
	return needs
}

// stillWorks is what a machine without a capability can do.
var stillWorks = map[string]string{
	sandbox.CapNetNS: "l7gw --standalone, make test",
	sandbox.CapTUN:   "topologies without wires: lbsim up one-az",
	sandbox.CapEBPF:  "topologies without L4 and hosts: lbsim up hello",
}

// checkNeeds tries, inside the sandbox, everything that the plan needs.
func checkNeeds(p *topology.Plan) error {
	for _, c := range Needs(p) {
		err := sandbox.Probe(c)
		if err != nil && c == sandbox.CapTUN && link.Probe(link.FeatureNetem) == nil {
			continue // what a wire needs beyond netem is refused when it is laid
		}
		if err != nil {
			return &Unavailable{Lab: p.Lab, Lacks: c, Why: err, Works: stillWorks[c]}
		}
	}
	return nil
}
