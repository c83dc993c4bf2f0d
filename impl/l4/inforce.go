package l4

import "fmt"

// A VIP is in force when its packets are forwarded, which takes more than its
// entry in a map: the ring of its pool must have in it whoever belongs there. Two
// things can be missing. Members that are registered and were not judged yet are
// waited for, which ends with their probes: each is up or down, and if none is up
// the ring fails open. A ring of those who answered first would do, but not for
// long: the connections that it was given would move when this node is lost,
// since the others' rings are whole by then. Members that do not exist are not
// waited for, because nothing says that any will come: the VIP counts as in force
// and is reported.

// A lack says what the VIPs of a pool are lacking. The zero lack is of a pool that
// forwards to all it can, or has no VIP.
type lack struct {
	awaited bool // members exist that were not judged; the probes will tell
	nobody  bool // must be reported: none exists, or one did and is gone
}

// lacking returns what is missing for the VIPs of each pool, if want is in force.
// Once told that nobody is there, whoever asks is told so until somebody is: a
// member that has just registered forwards nothing yet. c.mu is held.
func (c *Controller) lacking(want Desired) map[Pool]lack {
	out := map[Pool]lack{}
	for _, v := range want.VIPs {
		if _, seen := out[v.Pool]; seen {
			continue
		}
		members := ofPool(want.Members, v.Pool)
		if !want.Rings[v.Pool].Empty() {
			out[v.Pool] = lack{awaited: !judged(members)}
			continue
		}
		absent := c.known[registry] && len(members) == 0
		out[v.Pool] = lack{
			awaited: !absent,
			nobody:  absent || c.lacks[v.Pool].nobody || !c.rings[v.Pool].Empty(),
		}
	}
	return out
}

// tellLacks logs the pools that forward nothing, and adds their VIPs to those
// objects that are reported. An object that is refused keeps that reason. c.mu is
// held.
func (c *Controller) tellLacks(want Desired, lacks map[Pool]lack, reported map[string]error) {
	for _, p := range pools {
		if lacks[p].nobody && !c.lacks[p].nobody {
			c.log.Error("nobody to forward to, packets are dropped", "pool", p.String())
		}
	}
	for _, v := range want.VIPs {
		key := VIPPrefix + v.Addr.String()
		if _, refused := reported[key]; !refused && lacks[v.Pool].nobody {
			reported[key] = nobodyIn(v.Pool)
		}
	}
	c.lacks = lacks
}

// A nobodyIn is the reason why a VIP of this pool is reported though it is not
// refused.
type nobodyIn Pool

func (p nobodyIn) Error() string {
	return fmt.Sprintf("no member of pool %s forwards: its packets are dropped", Pool(p))
}

// tellInForce reports the revisions that were read and are in force now. c.mu is
// held.
func (c *Controller) tellInForce() {
	_, waits := c.awaited()
	for prefix, rev := range c.pending {
		if prefix == Watches && waits {
			continue
		}
		c.report.Applied(prefix, rev)
		delete(c.pending, prefix)
	}
}

// awaited returns a pool whose first probes the VIPs that were read wait for.
// c.mu is held.
func (c *Controller) awaited() (Pool, bool) {
	for _, p := range pools {
		if c.lacks[p].awaited {
			return p, true
		}
	}
	return 0, false
}
