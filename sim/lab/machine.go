package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/topology"
)

// target shows the lab to faults.
type target struct{ lab *Lab }

var _ fault.Target = target{}

// Machines implements fault.Target.
func (t target) Machines(s topology.Selector) []fault.Machine {
	var out []fault.Machine
	for _, n := range t.lab.Select(s) {
		out = append(out, machine{n})
	}
	return out
}

// A machine shows a node to faults.
type machine struct{ n *Node }

func (m machine) Ref() topology.Ref { return m.n.Ref() }

// Addresses implements fault.Machine: those of its links and the member address.
func (m machine) Addresses() []netip.Addr {
	var out []netip.Addr
	for _, l := range m.n.links {
		for _, e := range []topology.End{l.A, l.B} {
			if e.Node == m.Ref() && e.Addr.IsValid() {
				out = append(out, e.Addr.Addr())
			}
		}
	}
	if m.n.plan.Member.IsValid() {
		out = append(out, m.n.plan.Member)
	}
	for _, p := range m.n.plan.Loopback {
		out = append(out, p.Addr())
	}
	return out
}

func (m machine) ProcessNames() []string {
	var out []string
	for _, p := range m.n.plan.Processes {
		out = append(out, p.Name)
	}
	return out
}

func (m machine) process(name string) *proc.Process {
	p, err := m.n.Proc(name)
	if err != nil {
		return nil // never started
	}
	return p
}

func (m machine) Running(name string) bool {
	p := m.process(name)
	return p != nil && p.Running()
}

func (m machine) Frozen(name string) bool {
	p := m.process(name)
	return p != nil && p.Frozen()
}

func (m machine) Kill(name string) error {
	p := m.process(name)
	if p == nil {
		return nil
	}
	if err := p.Kill(); err != nil && !errors.Is(err, proc.ErrEnded) {
		return err
	}
	<-p.Done()
	return nil
}

// Terminate implements fault.Processes.
func (m machine) Terminate(ctx context.Context, name string) error {
	p := m.process(name)
	if p == nil {
		return nil
	}
	if err := p.Signal(unix.SIGTERM); err != nil && !errors.Is(err, proc.ErrEnded) {
		return err
	}
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of %s on %s: %w", name, m.Ref(), context.Cause(ctx))
	}
}

func (m machine) Freeze(name string) error {
	p := m.process(name)
	if p == nil {
		return fmt.Errorf("freeze %s on %s: it does not run", name, m.Ref())
	}
	return p.Freeze()
}

// Continue implements fault.Processes. A process that ended while it was frozen
// has nothing to continue.
func (m machine) Continue(name string) error {
	p := m.process(name)
	if p == nil {
		return nil
	}
	if err := p.Continue(); err != nil && !errors.Is(err, proc.ErrEnded) {
		return err
	}
	return nil
}

// Start implements fault.Processes. What else is broken may keep the process from
// getting ready: the wait has the limit of a stage.
func (m machine) Start(ctx context.Context, name string, args ...string) error {
	return m.n.Restart(ctx, name, args...)
}

// Interfaces implements fault.Power.
func (m machine) Interfaces() []string { return m.n.interfaces() }

// interfaces are the node's ends of its links.
func (n *Node) interfaces() []string {
	var out []string
	for _, l := range n.links {
		for _, e := range []topology.End{l.A, l.B} {
			if e.Node == n.Ref() {
				out = append(out, e.If)
			}
		}
	}
	return out
}

func (m machine) drop(id string, to []netip.Addr) link.Drop {
	return link.Drop{ID: id, Ifs: m.n.interfaces(), To: to}
}

func (m machine) Drop(id string, to []netip.Addr) error { return m.n.stack.AddDrop(m.drop(id, to)) }

func (m machine) Dropping(id string) (bool, error) { return m.n.stack.HasDrop(m.drop(id, nil)) }

func (m machine) Undrop(id string) error { return m.n.stack.RemoveDrop(m.drop(id, nil)) }
