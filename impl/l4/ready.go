package l4

import (
	"errors"
	"slices"

	"github.com/unilb/unilb/impl/node"
)

// judge sets what /status/ready answers. A new node is not ready before each
// registered member was judged by its own probes, or it would send the first
// connections to whoever answered first. c.mu is held.
func (c *Controller) judge() {
	switch {
	case c.draining:
		c.report.SetState(node.Draining)
	case c.fault() != nil || !c.served && !judged(c.desired.Members):
		c.report.SetState(node.Starting)
	default:
		if !c.served {
			c.served = true
			close(c.ready)
		}
		c.report.SetState(node.Serving)
	}
}

// fault says why the node should get no traffic, apart from draining.
func (c *Controller) fault() error {
	switch {
	case !c.known[Watches]:
		return errors.New("VIPs not read yet")
	case !c.known[registry]:
		return errors.New("registrations not read yet")
	case !c.attached:
		return errors.Join(errors.New("not attached to the uplink"), c.applyErr)
	}
	return c.pathErr
}

// judged says whether the probes have found each of them up or down.
func judged(members []Record) bool {
	return !slices.ContainsFunc(members, func(r Record) bool { return r.State == Unknown })
}

// Ready is closed when the node could take traffic for the first time.
func (c *Controller) Ready() <-chan struct{} { return c.ready }

// Drain makes the node answer that it drains, so that the router takes it out.
// It keeps forwarding.
func (c *Controller) Drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	c.judge()
}
