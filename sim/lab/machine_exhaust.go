package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/unilb/unilb/sim/bpf"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/proc"
)

// Files implements fault.Descriptors.
func (m machine) Files(process string) ([]fault.Files, error) {
	p := m.process(process)
	if p == nil {
		return nil, nil
	}
	all, err := p.Files()
	if errors.Is(err, proc.ErrEnded) {
		return nil, nil
	}
	var out []fault.Files
	for _, f := range all {
		out = append(out, fault.Files{Pid: f.Pid, Started: f.Started, Limit: f.Limit, Open: f.Open})
	}
	return out, err
}

// LimitFiles implements fault.Descriptors.
func (m machine) LimitFiles(process string, of fault.Files, limit uint64) error {
	p := m.process(process)
	if p == nil {
		return nil
	}
	err := p.LimitFiles(proc.Files{Pid: of.Pid, Started: of.Started}, limit)
	if errors.Is(err, proc.ErrEnded) {
		return nil
	}
	return err
}

// The settings of fault.LocalPorts.
const (
	portRange     = "net.ipv4.ip_local_port_range"
	portsReserved = "net.ipv4.ip_local_reserved_ports"
)

// LocalPorts implements fault.Ports.
func (m machine) LocalPorts() (fault.LocalPorts, error) {
	var out fault.LocalPorts
	for key, into := range map[string]*string{portRange: &out.Range, portsReserved: &out.Reserved} {
		err := m.n.ns.Do(func() error {
			b, err := os.ReadFile(filepath.Join("/proc/sys", strings.ReplaceAll(key, ".", "/")))
			*into = strings.Join(strings.Fields(string(b)), " ")
			return err
		})
		if err != nil {
			return out, fmt.Errorf("read %s of %s: %w", key, m.Ref(), err)
		}
	}
	return out, nil
}

// SetLocalPorts implements fault.Ports.
func (m machine) SetLocalPorts(p fault.LocalPorts) error {
	reserved := p.Reserved
	if reserved == "" {
		reserved = "\n" // an empty write is none
	}
	return errors.Join(m.n.stack.Sysctl(portRange, p.Range), m.n.stack.Sysctl(portsReserved, reserved))
}

// selfProbe is where a machine dials itself: a place that no process listens on.
var selfProbe = netip.MustParseAddrPort("127.201.77.1:9")

// DialSelf implements fault.Ports. It uses the lab's own sockets, so that it
// takes no port from anybody when it is over: they are reset, and leave no
// TIME_WAIT behind.
func (m machine) DialSelf(ctx context.Context, n int) (int, error) {
	l, err := m.n.Listen("tcp4", selfProbe)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	for i := range n {
		c, err := m.n.Dial(ctx, "tcp4", selfProbe)
		if err != nil {
			return i, err
		}
		defer c.Close()
		if err := c.(*net.TCPConn).SetLinger(0); err != nil {
			return i, err
		}
	}
	return n, nil
}

// connsMap is the name of the pinned connection table of an L4 node, see
// docs/wire.md.
const connsMap = "conns"

// conns opens the connection table of the node.
func (m machine) conns() (*bpf.Table, error) {
	for _, p := range m.n.plan.Processes {
		dir := pinDir(p)
		if dir == "" {
			continue
		}
		pins, err := bpf.List(dir)
		if err != nil {
			return nil, err
		}
		for _, one := range pins {
			if one.Kind == bpf.Map && filepath.Base(one.Path) == connsMap {
				return bpf.OpenTable(one.Path)
			}
		}
	}
	return nil, fmt.Errorf("%s has %w", m.Ref(), errNoConns)
}

var errNoConns = errors.New("no connection table")

// ConnTable implements fault.Connections.
func (m machine) ConnTable(seed uint64) (fault.ConnTable, error) {
	t, err := m.conns()
	if err != nil {
		return fault.ConnTable{}, err
	}
	defer t.Close()
	all, foreign, err := t.Count(seed)
	return fault.ConnTable{Capacity: t.Capacity(), Entries: all, Foreign: foreign, Evicts: t.Evicts()}, err
}

// FillConns implements fault.Connections.
func (m machine) FillConns(seed uint64) error {
	t, err := m.conns()
	if err != nil {
		return err
	}
	defer t.Close()
	return t.Fill(seed)
}

// DrainConns implements fault.Connections.
func (m machine) DrainConns(seed uint64) (int, error) {
	t, err := m.conns()
	if errors.Is(err, errNoConns) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer t.Close()
	if _, err := t.Drain(seed); err != nil {
		return 0, err
	}
	_, foreign, err := t.Count(seed)
	return foreign, err
}
