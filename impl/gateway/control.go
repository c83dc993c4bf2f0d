package gateway

import (
	"maps"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/control"
	"github.com/unilb/unilb/impl/explain"
	"github.com/unilb/unilb/impl/health"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

// controlHandler serves the control API of APISIX about this process.
func (g *Gateway) controlHandler() http.Handler {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "unknown"
	}
	return control.New(control.Options{
		Prefix: g.o.Prefix, Snapshot: g.config.inForce, Health: g.health, Shown: g.shown, EtcdVersion: g.o.Store.Version, Explain: g.explained,
		Server: control.ServerInfo{ID: g.o.Registration.Name, Hostname: hostname, Version: obs.Version(), Boot: time.Now()},
	})
}

// explained is what questions about requests are answered by.
func (g *Gateway) explained() *explain.Source {
	s := &explain.Source{Prefix: g.o.Prefix, Paths: g.o.Paths, Peers: g.o.Peers, Fallback: g.o.FallbackSNI, Health: g.health.views, Next: g.pipeline.Order, Now: time.Now()}
	s.Snapshot, s.Applied, s.Refused = g.config.explained()
	return s
}

// explained is the snapshot with the revisions that it is of, and what was refused by key.
func (c *configurator) explained() (*config.Snapshot, map[string]int64, map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snap, maps.Clone(c.applied), maps.Clone(c.refused)
}

// views are the states of the targets of an upstream in their order; nil: it has no check.
func (h *healthBook) views(up *config.Upstream) []health.View {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []health.View
	for _, s := range h.states[up] {
		out = append(out, s.View())
	}
	return out
}

// shown is what of an object's value may be told: private keys that somebody wrote to etcd
// in clear are sealed.
func (g *Gateway) shown(k config.Kind, id string, value []byte) ([]byte, bool) {
	return sealed(g.o.Keyring, g.o.Prefix, store.KV{Key: g.o.Prefix + "/" + k.Directory() + "/" + id, Value: value})
}

// Checkers lists the active checks of all upstreams.
func (h *healthBook) Checkers() []control.Checker {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]control.Checker, 0, len(h.byKey))
	for key, up := range h.byKey {
		out = append(out, checkerOf(key, up, h.states[up]))
	}
	return out
}

// Checker is the active check of one upstream; false: it has none.
func (h *healthBook) Checker(key string) (control.Checker, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	up, ok := h.byKey[key]
	if !ok {
		return control.Checker{}, false
	}
	return checkerOf(key, up, h.states[up]), true
}

func checkerOf(key string, up *config.Upstream, states targetStates) control.Checker {
	check := up.Checks.Active
	c := control.Checker{Key: key, Type: check.Type, Nodes: make([]control.Node, len(states))}
	for i, s := range states {
		t, v := &up.Targets[i], s.View()
		n := control.Node{IP: t.Host, Port: t.Port, Hostname: t.Host, Status: v.Status, Counter: v.Counters}
		if check.Port != 0 {
			n.Port = check.Port
		}
		if check.Host != "" {
			n.Hostname = check.Host
		}
		_, err := netip.ParseAddr(t.Host)
		named := err != nil
		if named && v.Address.IsValid() {
			n.IP = v.Address.String()
		}
		if named || up.PassHost == "rewrite" {
			n.HostHeader = probeHost(up, t)
		}
		c.Nodes[i] = n
	}
	return c
}
