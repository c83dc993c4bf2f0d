package lab

import (
	"context"
	"net/netip"
	"time"

	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/topology"
)

// Status is what a lab looks like at one moment.
type Status struct {
	Lab    string                `json:"lab"`
	Up     bool                  `json:"up"` // everything has been ready once
	Age    time.Duration         `json:"age"`
	Nodes  []NodeStatus          `json:"nodes"`
	Spread []Spread              `json:"spread,omitempty"`
	VIPs   []topology.PlannedVIP `json:"vips,omitempty"`
	Links  []LinkStatus          `json:"links,omitempty"`
	Faults []FaultStatus         `json:"faults,omitempty"`
}

// NodeStatus is one node.
type NodeStatus struct {
	Ref       topology.Ref    `json:"ref"`
	Kind      topology.Kind   `json:"kind"`
	Address   netip.Addr      `json:"address,omitzero"`
	Host      topology.Ref    `json:"host,omitempty"` // of a guest
	Power     bool            `json:"power"`
	Processes []ProcessStatus `json:"processes,omitempty"`
	Echo      []uint16        `json:"echo,omitempty"`
	Requests  uint64          `json:"requests,omitempty"` // that its echo backend received
}

// ProcessStatus is one process of the plan.
type ProcessStatus struct {
	Name  string        `json:"name"`
	State string        `json:"state"` // "starting", "ready", "frozen", "ended", "not started"
	Pid   int           `json:"pid,omitempty"`
	Ready time.Duration `json:"ready,omitempty"` // from start to readiness
	CPU   time.Duration `json:"cpu,omitempty"`
	RSS   int64         `json:"rss,omitempty"` // bytes
	Exit  string        `json:"exit,omitempty"`
	Log   string        `json:"log,omitempty"`
}

// LinkStatus is one link.
type LinkStatus struct {
	Name string            `json:"name"`
	Kind topology.LinkKind `json:"kind"`
}

// FaultStatus is one active fault.
type FaultStatus struct {
	ID    string        `json:"id"`
	Text  string        `json:"text"`
	Since time.Duration `json:"since"` // on the run's clock
}

// Status returns what the lab looks like now.
func (l *Lab) Status() Status {
	l.mu.Lock()
	s := Status{Lab: l.plan.Lab, Up: l.ready && !l.down, Age: l.rec.Now(), VIPs: l.plan.VIPs}
	l.mu.Unlock()
	for _, n := range l.order {
		s.Nodes = append(s.Nodes, n.Status())
	}
	for _, e := range l.edges {
		st, _, _ := e.status()
		s.Spread = append(s.Spread, st)
	}
	for _, pl := range l.plan.Links {
		s.Links = append(s.Links, LinkStatus{Name: pl.Name, Kind: pl.Kind})
	}
	for _, a := range l.Active() {
		s.Faults = append(s.Faults, FaultStatus{ID: a.ID(), Text: a.Fault().String(), Since: a.Window().From})
	}
	return s
}

// Status returns what the node looks like now.
func (n *Node) Status() NodeStatus {
	n.mu.Lock()
	off := n.off
	n.mu.Unlock()
	s := NodeStatus{Ref: n.Ref(), Kind: n.plan.Kind, Address: n.plan.Address(), Power: !off, Echo: n.plan.Echo}
	if n.plan.Guest != nil {
		s.Host = n.plan.Guest.Host
	}
	if n.echo != nil {
		s.Requests = n.echo.Requests()
	}
	for _, p := range n.plan.Processes {
		s.Processes = append(s.Processes, n.processStatus(p.Name))
	}
	return s
}

func (n *Node) processStatus(name string) ProcessStatus {
	s := ProcessStatus{Name: name, State: "not started"}
	p, err := n.Proc(name)
	if err != nil {
		return s
	}
	s.Pid, s.Log, s.Ready = p.Pid(), p.LogPath(), p.ReadyAfter()
	switch {
	case !p.Running():
		s.State, s.Exit = "ended", p.Exit().String()
		return s
	case p.Frozen():
		s.State = "frozen"
	case s.Ready == 0:
		s.State = "starting"
	default:
		s.State = "ready"
	}
	if u, err := p.Usage(); err == nil {
		s.CPU, s.RSS = u.CPU, u.RSS
	}
	return s
}

// Sample gives take what every running process uses, again after each period until
// ctx is done; see proc.Runner.Sample. Times are of the run's clock.
func (l *Lab) Sample(ctx context.Context, every time.Duration, take func(proc.Sample)) {
	l.runner.Sample(ctx, every, l.rec.Now, take)
}
