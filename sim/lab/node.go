package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/topology"
)

// A Node is one machine of the lab.
type Node struct {
	lab   *Lab
	plan  *topology.Node
	links []*topology.Link
	ns    *netns.NS
	stack *link.Stack
	disk  *nodeDisk
	echo  *echo.Server // nil without the default backend

	mu     sync.Mutex
	procs  map[string]*slot
	echoes []*trackedListener
	told   told
	off    bool // without power
}

// Ref is the node's name.
func (n *Node) Ref() topology.Ref { return n.plan.Ref }

// Plan is what the node was built from; do not change it.
func (n *Node) Plan() topology.Node { return *n.plan }

// NS is the node's network namespace. It belongs to the lab.
func (n *Node) NS() *netns.NS { return n.ns }

// Echo is the node's backend; nil when the node has no echo ports, or when
// Options.Backend serves them.
func (n *Node) Echo() *echo.Server { return n.echo }

// Dial connects from the node. The address is literal by its type.
func (n *Node) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	if n.lab.isDown() {
		return nil, ErrDown
	}
	return proc.Dial(ctx, n.ns, network, to)
}

// DialFrom is Dial from a TCP port, which may have been used a moment ago.
func (n *Node) DialFrom(ctx context.Context, network string, port uint16, to netip.AddrPort) (net.Conn, error) {
	if n.lab.isDown() {
		return nil, ErrDown
	}
	return proc.DialFrom(ctx, n.ns, network, port, to)
}

// Listen listens in the node.
func (n *Node) Listen(network string, at netip.AddrPort) (net.Listener, error) {
	if n.lab.isDown() {
		return nil, ErrDown
	}
	var l net.Listener
	err := n.ns.Do(func() (err error) {
		l, err = net.Listen(network, at.String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", n.Ref(), err)
	}
	return l, nil
}

// ListenPacket makes a datagram socket in the node.
func (n *Node) ListenPacket(network string, at netip.AddrPort) (net.PacketConn, error) {
	if n.lab.isDown() {
		return nil, ErrDown
	}
	var c net.PacketConn
	err := n.ns.Do(func() (err error) {
		c, err = net.ListenPacket(network, at.String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", n.Ref(), err)
	}
	return c, nil
}

// Exec runs a command in the node to its end. It shares everything with this
// process but the network. A command that fails is no error: see
// proc.Output.Exit.
func (n *Node) Exec(ctx context.Context, argv ...string) (proc.Output, error) {
	if n.lab.isDown() {
		return proc.Output{}, ErrDown
	}
	return n.lab.runner.Exec(ctx, string(n.Ref())+"/exec", n.ns, argv...)
}

// Start runs a command in the node with the given standard streams and the
// environment of this process, and returns at once. It ends with the lab.
// Command.Ready is ignored.
func (n *Node) Start(c Command, stdin, stdout, stderr *os.File) (*proc.Process, error) {
	if n.lab.isDown() {
		return nil, ErrDown
	}
	return n.lab.runner.Start(proc.Spec{
		Name: string(n.Ref()) + "/exec", NS: n.ns, Path: c.Path, Args: c.Args, Env: c.Env, Dir: c.Dir,
		Stdin: stdin, Stdout: stdout, Stderr: stderr, Terminal: c.Terminal,
	})
}

// Proc returns the process with the name it has in the plan. After a restart it is
// another one.
func (n *Node) Proc(name string) (*proc.Process, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.procs[name]
	if s == nil || s.process == nil {
		return nil, fmt.Errorf("no process %q on %s", name, n.Ref())
	}
	return s.process, nil
}

// Link is the stack that configures the node's network. It is for tests that
// change what the plan says; faults are the way to break things.
func (n *Node) Link() *link.Stack { return n.stack }

// dir is the node's own directory, its disk: it outlives a loss of power.
func (n *Node) dir() string { return n.disk.dir }

func (n *Node) close() error {
	var errs []error
	if n.stack != nil {
		errs = append(errs, n.stack.Close())
	}
	if n.ns != nil {
		errs = append(errs, n.ns.Close())
	}
	return errors.Join(errs...)
}
