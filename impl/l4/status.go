package l4

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// Status is the answer to GET /status/l4.
type Status struct {
	Fault    string            `json:"fault,omitempty"` // why the node is not ready
	Error    string            `json:"error,omitempty"` // why the last change is not in force
	VIPs     []VIPStatus       `json:"vips"`
	Pools    []PoolStatus      `json:"pools"`
	Counters map[string]uint64 `json:"counters"`
}

// VIPStatus is one VIP in force.
type VIPStatus struct {
	Address netip.Addr `json:"address"`
	Pool    string     `json:"pool"`
	Ports   []string   `json:"ports"` // "80/tcp"
}

// PoolStatus is one pool with its ring.
type PoolStatus struct {
	Name        string         `json:"name"`
	Ring        string         `json:"ring"` // hash; equal on all L4 nodes that see the same members up
	RingMembers []string       `json:"ring_members"`
	FailOpen    bool           `json:"fail_open"`       // nobody is up, see ringMembers
	Error       string         `json:"error,omitempty"` // why packets for the pool's VIPs are dropped
	Members     []MemberStatus `json:"members"`
}

// MemberStatus is one registered member.
type MemberStatus struct {
	Name       string     `json:"name"`
	Address    netip.Addr `json:"address"`
	VTEP       netip.Addr `json:"vtep"`
	State      State      `json:"state"`
	Since      time.Time  `json:"since"`
	Registered string     `json:"registered"` // active or draining
	Probe      string     `json:"probe"`
	Reason     string     `json:"reason,omitempty"` // of the last miss
}

// Status returns what is in force. Counters are left to the caller, who has the
// data path.
func (c *Controller) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Status{VIPs: []VIPStatus{}, Pools: []PoolStatus{}}
	if err := c.fault(); err != nil {
		s.Fault = err.Error()
	} else if !c.served && !judged(c.desired.Members) {
		s.Fault = "members not probed yet"
	}
	if p, waits := c.awaited(); c.applyErr != nil {
		s.Error = c.applyErr.Error()
	} else if _, read := c.pending[Watches]; read && waits {
		s.Error = fmt.Sprintf("VIPs wait for the first probes of pool %s", p)
	}
	for _, v := range c.desired.VIPs {
		ports := make([]string, 0, len(v.Ports))
		for _, p := range v.Ports {
			ports = append(ports, strconv.Itoa(int(p.Port))+"/"+p.Proto.String())
		}
		s.VIPs = append(s.VIPs, VIPStatus{Address: v.Addr, Pool: v.Pool.String(), Ports: ports})
	}
	for _, p := range pools {
		s.Pools = append(s.Pools, c.poolStatus(p))
	}
	return s
}

func (c *Controller) poolStatus(p Pool) PoolStatus {
	ps := PoolStatus{
		Name: p.String(), Ring: c.rings[p].Hash(), FailOpen: c.failOpen[p],
		RingMembers: []string{}, Members: []MemberStatus{},
	}
	if c.lacks[p].nobody {
		ps.Error = nobodyIn(p).Error()
	}
	for _, m := range c.rings[p].Members() {
		ps.RingMembers = append(ps.RingMembers, m.Name)
	}
	for _, r := range ofPool(c.desired.Members, p) {
		h := c.prober.health(r.Pool, r.Addr)
		ms := MemberStatus{
			Name: r.Name, Address: r.Addr, VTEP: r.VTEP, State: r.State, Since: h.Since,
			Registered: "active", Probe: r.ProbeURL(), Reason: h.Reason,
		}
		if r.Leaving {
			ms.Registered = "draining"
		}
		ps.Members = append(ps.Members, ms)
	}
	return ps
}

// Handler answers GET /status/l4 and leaves everything else to rest. counters
// reads the counters of the data path.
func (c *Controller) Handler(rest http.Handler, counters func() (map[string]uint64, error)) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", rest)
	mux.HandleFunc("GET /status/l4", func(w http.ResponseWriter, _ *http.Request) {
		s := c.Status()
		var err error
		if s.Counters, err = counters(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s) // the client is gone; nothing to do about it
	})
	return mux
}
