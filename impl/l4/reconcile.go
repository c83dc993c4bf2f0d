package l4

import (
	"errors"
	"slices"

	"github.com/unilb/unilb/impl/obs"
)

// reconcile computes what is to be in force and gives it to the data path. c.mu
// is held.
func (c *Controller) reconcile() {
	if !c.known[Watches] && !c.known[registry] {
		return // nothing read, nothing adopted
	}
	vips, members, refused := c.dir.resolve()
	c.probe(members)
	want := Desired{VIPs: vips, Members: c.records(members), Rings: map[Pool]Ring{}}
	c.settle(want.Members)
	failOpen := map[Pool]bool{}
	for _, p := range pools {
		chosen, open := ringMembers(c.rings[p].Members(), ofPool(want.Members, p), c.failOpen[p])
		failOpen[p] = open
		if c.rings[p].sameMembers(chosen) {
			want.Rings[p] = c.rings[p]
		} else {
			want.Rings[p] = BuildRing(chosen)
		}
	}
	c.desired = want
	err := c.plane.Apply(want)
	if err == nil && !c.attached && c.known[Watches] {
		if err = c.plane.Attach(); err == nil {
			c.attached = true
		}
	}
	if err != nil {
		if c.applyErr == nil || c.applyErr.Error() != err.Error() {
			c.log.Error("data path refused a change, trying again", obs.Err, err)
		}
		c.applyErr = err
		return
	}
	c.applyErr = nil
	lacks := c.lacking(want)
	c.tell(want, failOpen)
	c.tellLacks(want, lacks, refused)
	c.tellRefused(refused)
	c.tellInForce() // last: whoever waits for a revision then reads what is refused
}

// probe makes the members the targets of the prober.
func (c *Controller) probe(members []Member) {
	targets := make(map[memberKey]target, len(members))
	for _, m := range members {
		targets[m.key()] = target{url: m.ProbeURL(), seed: c.seeds[m.key()]}
	}
	c.prober.set(targets)
	clear(c.seeds) // a member that leaves and comes back begins anew
}

func (c *Controller) records(members []Member) []Record {
	records := make([]Record, 0, len(members))
	for _, m := range members {
		records = append(records, Record{Member: m, State: effective(m, c.prober.health(m.Pool, m.Addr).State)})
	}
	return records
}

// settle has members judged anew when the first of a pool is up again after all
// were down: what made the probes fail may be over for the others, too, and they
// have been carrying traffic meanwhile. It changes the records accordingly, which
// must not be read from the prober again: it may know more by then.
func (c *Controller) settle(records []Record) {
	for _, p := range pools {
		up := slices.ContainsFunc(records, func(r Record) bool { return r.Pool == p && r.State == Up })
		if up && c.failOpen[p] && !c.settling[p] {
			c.prober.doubt(p)
			for i := range records {
				if records[i].Pool == p && records[i].State == Down {
					records[i].State = Unknown
				}
			}
		}
		c.settling[p] = up && c.failOpen[p]
	}
}

// tell logs what changed for the operator: rings and failing open.
func (c *Controller) tell(want Desired, failOpen map[Pool]bool) {
	for _, p := range pools {
		if was, is := c.rings[p].Hash(), want.Rings[p].Hash(); was != is {
			c.log.Info("ring in force", "pool", p.String(), "ring", is, "members", len(want.Rings[p].Members()))
		}
		if failOpen[p] && !c.failOpen[p] {
			c.log.Error("no member is up, failing open", "pool", p.String(), "ring", want.Rings[p].Hash())
		}
	}
	c.rings, c.failOpen = want.Rings, failOpen
}

func (c *Controller) tellRefused(refused map[string]error) {
	for key := range c.refused {
		if _, still := refused[key]; !still {
			c.report.Accept(key)
		}
	}
	texts := make(map[string]string, len(refused))
	for key, err := range refused {
		texts[key] = err.Error()
		if c.refused[key] == texts[key] {
			continue
		}
		if !errors.As(err, new(nobodyIn)) { // which was logged once for the pool
			c.log.Warn("object refused", obs.Key, key, obs.Err, err)
		}
		c.report.Refuse(key, err)
	}
	c.refused = texts
}
