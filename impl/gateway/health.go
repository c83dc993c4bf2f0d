package gateway

import (
	"net/netip"
	"sync"

	"github.com/unilb/unilb/impl/balance"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/health"
)

// healthBook connects compiled upstreams with the states of their targets.
type healthBook struct {
	registry *health.Registry

	mu     sync.Mutex
	byKey  map[string]*config.Upstream
	states map[*config.Upstream]targetStates
}

// targetStates are in the order of the upstream's targets.
type targetStates []*health.State

// Usable tells the health of a target by its index.
func (t targetStates) Usable(i int) bool { return t[i].Usable() }

func newHealthBook(r *health.Registry) *healthBook {
	return &healthBook{registry: r, byKey: map[string]*config.Upstream{}, states: map[*config.Upstream]targetStates{}}
}

// set says what the upstream of that key is now; nil: it is gone.
func (h *healthBook) set(key string, up *config.Upstream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.byKey[key]; old != nil {
		delete(h.states, old)
		delete(h.byKey, key)
	}
	if up == nil || up.Checks == nil || up.Checks.Active == nil {
		h.registry.Set(key, nil)
		return
	}
	subjects := make([]health.Subject, len(up.Targets))
	for i := range up.Targets {
		t := &up.Targets[i]
		subjects[i] = health.Subject{Host: t.Host, Generation: t.Pool.Generation, Port: t.Port,
			Check: health.NewCheck(up.Checks.Active, probeHost(up, t))}
	}
	h.byKey[key] = up
	h.states[up] = h.registry.Set(key, subjects)
}

// usable returns the health of an upstream's targets; nil when it has no check,
// or was replaced: a request that still holds a replaced upstream then takes
// all its targets for healthy and finds out by trying.
func (h *healthBook) usable(up *config.Upstream) balance.Usable {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.states[up]; ok {
		return s
	}
	return nil
}

// probeHost is the Host header of a probe. The order is APISIX's.
func probeHost(up *config.Upstream, t *config.Target) string {
	if up.PassHost == "rewrite" {
		return up.UpstreamHost
	}
	if _, err := netip.ParseAddr(t.Host); err != nil {
		return t.Host
	}
	if h := up.Checks.Active.Host; h != "" {
		return h
	}
	return t.Host
}

// TargetHealth is one target on the status page.
type TargetHealth struct {
	Target     string `json:"target"`
	Generation int64  `json:"generation"`
	health.View
}

// view lists the health of all checked targets, by upstream key.
func (h *healthBook) view() map[string][]TargetHealth {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[string][]TargetHealth{}
	for key, up := range h.byKey {
		list := []TargetHealth{}
		for i, s := range h.states[up] {
			list = append(list, TargetHealth{up.Targets[i].Name, up.Targets[i].Pool.Generation, s.View()})
		}
		out[key] = list
	}
	return out
}

// each calls f for every checked target.
func (h *healthBook) each(f func(key, host string, port int, usable bool)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, up := range h.byKey {
		for i, s := range h.states[up] {
			f(key, up.Targets[i].Host, up.Targets[i].Port, s.Usable())
		}
	}
}

func (h *healthBook) close() { h.registry.Close() }
