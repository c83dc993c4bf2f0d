package labenv

import (
	"cmp"
	"fmt"
	"os"
	"slices"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

// feasible finds what makes a run pointless before anything of an earlier run is
// removed: an unknown topology, programs that are not there.
func feasible(o Options, m *driver.Manifest) error {
	plan, _, err := planFor(cmp.Or(o.Topology, m.Topology))
	if err != nil {
		return err
	}
	if err := checkPrograms(m, plan, o.BinDir, o.Binary); err != nil {
		return err
	}
	if err := replaceable(o, m); err != nil {
		return err
	}
	if o.Scenarios == "" {
		return nil
	}
	if _, err := os.Stat(o.Scenarios); err != nil {
		return fmt.Errorf("scenarios: %w", err)
	}
	return scenariosCan(m)
}

// replaceable refuses another program for a driver that would start its own
// nevertheless.
func replaceable(o Options, m *driver.Manifest) error {
	if o.Binary == "" {
		return nil
	}
	v := driver.Sample()
	v.Bin, v.Binary = o.BinDir, o.Binary
	p, err := m.Render(v)
	if err == nil && !slices.Contains(p.Argv, o.Binary) {
		err = fmt.Errorf("driver %s does not start {{.Binary}}: %s would not be judged", m.Name, o.Binary)
	}
	return err
}

// The topologies that are taken when none is asked for.
const (
	largest  = "two-az" // scenarios need it, too
	smallest = "hello"
)

// planFor plans the topology that was asked for, or the largest one that this
// machine can run; then it also says why that is not the largest of all.
func planFor(name string) (*topology.Plan, *lab.Unavailable, error) {
	var lacks *lab.Unavailable
	if name == "" {
		name = largest
		if lacks = missing(sandbox.Probe); lacks != nil {
			name = smallest
		}
	}
	s, err := topology.LoadLibrary(name)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.Plan()
	return p, lacks, err
}

// missing says what this machine lacks for the largest topology; nil: nothing.
func missing(probe func(capability string) error) *lab.Unavailable {
	for _, c := range []string{sandbox.CapEBPF, sandbox.CapTUN} {
		if err := probe(c); err != nil {
			return &lab.Unavailable{Lab: largest, Lacks: c, Why: err, Works: "the cases that need no region (lbsim conform), lbsim up " + smallest}
		}
	}
	return nil
}

// possible says why nothing of what was asked for can run on this machine, or
// why the scenarios cannot: they must not look as if they had run. Single cases
// that cannot run are skips.
func possible(scenarios bool, lacks *lab.Unavailable, selected []spec.Case) error {
	if scenarios {
		if lacks == nil {
			lacks = missing(sandbox.Probe) // a topology was asked for
		}
		if lacks != nil {
			return fmt.Errorf("scenarios: %w", lacks)
		}
	}
	if lacks == nil || slices.ContainsFunc(selected, func(c spec.Case) bool { return !needsLargest(c) }) {
		return nil
	}
	return fmt.Errorf("every case that was asked for needs more than this machine has: %w", lacks)
}

func needsLargest(c spec.Case) bool {
	return slices.ContainsFunc(c.Env, func(k spec.Capability) bool { return k == spec.Region || k == spec.VPC || k == spec.EBPF })
}
