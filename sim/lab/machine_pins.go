package lab

import (
	"fmt"
	"os"

	"github.com/unilb/unilb/sim/bpf"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/topology"
)

// planned is the process of the plan with the name.
func (m machine) planned(name string) topology.Process {
	for _, p := range m.n.plan.Processes {
		if p.Name == name {
			return p
		}
	}
	return topology.Process{}
}

// Pins implements fault.Pins.
func (m machine) Pins(process string) ([]fault.Pin, error) {
	dir := pinDir(m.planned(process))
	if dir == "" {
		return nil, nil
	}
	all, err := bpf.List(dir)
	if err != nil {
		return nil, err
	}
	var out []fault.Pin
	for _, p := range all {
		pin := fault.Pin{Path: p.Path}
		if p.Kind == bpf.Link {
			pin.Link, pin.Live = p.ID, p.Ifindex != 0
		}
		out = append(out, pin)
	}
	return out, nil
}

// RemovePins implements fault.Pins.
func (m machine) RemovePins(process string) error {
	dir := pinDir(m.planned(process))
	if dir == "" {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove pins of %s on %s: %w", process, m.Ref(), err)
	}
	return nil
}

// Linked implements fault.Pins.
func (m machine) Linked(id uint32) (bool, error) { return bpf.LinkExists(id) }
