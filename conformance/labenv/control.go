package labenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/topology"
)

// Listen is a bare listener on a node of a network.
func (e *Env) Listen(_ context.Context, network string) (net.Listener, spec.Backend, error) {
	nodes := e.backendNodes(network)
	if len(nodes) == 0 {
		return nil, spec.Backend{}, fmt.Errorf("no nodes in network %q", network)
	}
	n, port := nodes[0], e.nextPort()
	node, err := e.lab.Node(n.Ref)
	if err != nil {
		return nil, spec.Backend{}, err
	}
	l, err := node.Listen("tcp4", netip.AddrPortFrom(netip.IPv4Unspecified(), port))
	if err != nil {
		return nil, spec.Backend{}, fmt.Errorf("listen on %s: %w", n.Ref, err)
	}
	return l, backendOf(n, port), nil
}

// Inject breaks something in the lab.
func (e *Env) Inject(ctx context.Context, f fault.Fault) (func(context.Context) error, error) {
	a, err := e.lab.Inject(ctx, f)
	if err != nil {
		return nil, err
	}
	return a.Heal, nil
}

// Drain sends a gateway the signal of its driver and waits for its end. One that
// does not end in time is killed.
func (e *Env) Drain(ctx context.Context, gateway topology.Ref) error {
	p, d, err := e.gatewayProcess(gateway)
	if err != nil {
		return err
	}
	if p == nil || !p.Running() {
		return fmt.Errorf("drain %s: it does not run", gateway)
	}
	if err := p.Signal(signal(d.DrainSignal)); err != nil && !errors.Is(err, proc.ErrEnded) {
		return fmt.Errorf("drain %s: %w", gateway, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, d.DrainWithin, fmt.Errorf("not within %s, as its driver says", d.DrainWithin))
	defer cancel()
	if _, err := p.Wait(ctx); err != nil {
		return errors.Join(fmt.Errorf("drain %s: %w", gateway, err), endHanging(p))
	}
	return nil
}

// killedWithin is how long a killed process may take to be gone.
const killedWithin = 5 * time.Second

// endHanging ends a process that does not end by itself, so that it can be started
// again: the next case is not to suffer.
func endHanging(p *proc.Process) error {
	if err := p.Kill(); err != nil && !errors.Is(err, proc.ErrEnded) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), killedWithin)
	defer cancel()
	_, err := p.Wait(ctx)
	return err
}

// Restart starts a gateway that has ended.
func (e *Env) Restart(ctx context.Context, gateway topology.Ref) error {
	n, name, err := e.gatewayNode(gateway)
	if err != nil {
		return err
	}
	node, err := e.lab.Node(n.Ref)
	if err != nil {
		return err
	}
	return node.Restart(ctx, name)
}

// Reload tells a gateway to reload as its driver says.
func (e *Env) Reload(ctx context.Context, gateway topology.Ref) error {
	p, d, err := e.gatewayProcess(gateway)
	switch {
	case err != nil:
		return err
	case p == nil || !p.Running():
		return fmt.Errorf("reload %s: it does not run", gateway)
	case d.ReloadSignal != "" && d.ReloadSignal == d.RestartSignal:
		// It says when it has: HAProxy loses a signal that comes before that.
		return e.Replace(ctx, gateway)
	case d.ReloadSignal != "":
		return p.Signal(signal(d.ReloadSignal))
	case len(d.ReloadArgv) == 0:
		return nil
	}
	node, err := e.lab.Node(gateway)
	if err != nil {
		return err
	}
	out, err := node.Exec(ctx, d.ReloadArgv...)
	if err == nil && out.Exit.Code != 0 {
		err = fmt.Errorf("%s: %.300s", out.Exit, out.Stderr)
	}
	if err != nil {
		return fmt.Errorf("reload %s: %w", gateway, err)
	}
	return nil
}

// replacedWithin is how long a new process may take to take over.
const replacedWithin = 60 * time.Second

// Replace has a new process of a gateway take over as its driver says.
func (e *Env) Replace(ctx context.Context, gateway topology.Ref) error {
	p, d, err := e.gatewayProcess(gateway)
	switch {
	case err != nil:
		return err
	case p == nil || !p.Running():
		return fmt.Errorf("replace %s: it does not run", gateway)
	case d.RestartSignal == "":
		return &spec.Trouble{Err: fmt.Errorf("replace %s: its driver does not say how", gateway)}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, replacedWithin, fmt.Errorf("not within %s", replacedWithin))
	defer cancel()
	return p.Replace(ctx, signal(d.RestartSignal))
}

// signal is the number of a signal that the manifest's check let through.
func signal(name string) syscall.Signal { return unix.SignalNum("SIG" + name) }

// gatewayNode is a node of the plan and the name of its gateway process.
func (e *Env) gatewayNode(ref topology.Ref) (*topology.Node, string, error) {
	for i := range e.plan.Nodes {
		n := &e.plan.Nodes[i]
		for _, p := range n.Processes {
			if n.Ref == ref && p.Gateway {
				return n, p.Name, nil
			}
		}
	}
	return nil, "", fmt.Errorf("%s runs no gateway", ref)
}

// gatewayProcess is the process of a gateway, nil when it was never started, and
// what its driver says of it.
func (e *Env) gatewayProcess(ref topology.Ref) (*proc.Process, *driver.Process, error) {
	n, name, err := e.gatewayNode(ref)
	if err != nil {
		return nil, nil, err
	}
	d := e.fleet.process(ref)
	if d == nil {
		return nil, nil, fmt.Errorf("%s was never started", ref)
	}
	node, err := e.lab.Node(n.Ref)
	if err != nil {
		return nil, nil, err
	}
	p, err := node.Proc(name)
	return p, d, err
}
