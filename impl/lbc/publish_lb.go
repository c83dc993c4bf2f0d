package lbc

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"net/netip"
	"slices"

	"github.com/unilb/unilb/impl/store"
)

// opsPerCommit keeps commits of listeners below etcd's limit of 128 operations.
const opsPerCommit = 100

// loadBalancer publishes a load balancer: what comes goes services, routes,
// listeners, VIPs; what goes, the other way round.
func (p *pass) loadBalancer(ctx context.Context) error {
	var plan lbPlan
	if err := p.s.until(ctx, func(m *Model, rev int64) bool {
		var busy bool
		plan, busy = m.planLB(p.u.name, p.had)
		plan.rev = rev
		return !busy
	}); err != nil {
		return err
	}
	if err := p.comeUp(ctx, plan); err != nil {
		return err
	}
	if err := p.takeDown(ctx, plan); err != nil {
		return err
	}
	return p.finish(ctx, plan.exists, plan.deps)
}

// An lbPlan is what a load balancer compiles to.
type lbPlan struct {
	rev                         int64 // of the model
	exists                      bool
	services, routes, listeners []Object
	vips                        []Object // without a value: to be deleted
	// deps are the revisions of the target groups that the rules send to.
	deps map[string]int64
}

// planLB compiles a load balancer. It is busy while a target group that it sends
// to is not published yet.
func (m *Model) planLB(lb string, had map[string]cell) (plan lbPlan, busy bool) {
	plan = lbPlan{deps: make(map[string]int64)}
	addresses := make(map[netip.Addr]bool)
	for _, c := range had {
		var l wireListener
		if json.Unmarshal(c.value, &l) == nil && l.Address.IsValid() {
			addresses[l.Address] = true
		}
	}
	if t := m.tree(lb); t != nil {
		plan.exists = true
		plan.services, plan.routes, plan.listeners = compileTree(t)
		addresses[t.lb.Address] = true
		for _, rules := range t.rules {
			for _, r := range rules {
				u := unit{kindTG, r.TargetGroup}
				rec := m.units[u]
				if len(rec.Ops) > 0 {
					return plan, true
				}
				for dir, rev := range rec.touched(m.mods[u.key()]) {
					plan.deps[dir] = max(plan.deps[dir], rev)
				}
			}
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(addresses), netip.Addr.Compare) {
		vip, _ := m.compileVIP(a)
		plan.vips = append(plan.vips, vip)
	}
	return plan, false
}

func (p *pass) comeUp(ctx context.Context, plan lbPlan) error {
	for _, o := range plan.services {
		if err := p.put(ctx, o); err != nil {
			return err
		}
	}
	for _, o := range plan.routes {
		if err := p.put(ctx, o); err != nil {
			return err
		}
	}
	var puts []store.Op
	for _, o := range plan.listeners {
		if c := p.had[o.Key]; c.mod == 0 || !sameValue(c.value, o.Value) {
			puts = append(puts, store.Op{Key: o.Key, Value: o.Value})
		} else {
			p.touch(dirListeners, c.mod)
		}
	}
	if err := p.write(ctx, "put listeners", dirListeners, p.s.listeners, math.MaxInt64, puts); err != nil {
		return err
	}
	puts = nil
	for _, o := range plan.vips {
		if o.Value == nil {
			continue
		}
		if c := p.s.vips.get(o.Key); c.mod == 0 || !sameValue(c.value, o.Value) {
			puts = append(puts, store.Op{Key: o.Key, Value: o.Value})
		} else {
			p.touch(dirVIPs, c.mod)
		}
	}
	return p.writeVIPs(ctx, "put VIPs", plan.rev, puts)
}

func (p *pass) takeDown(ctx context.Context, plan lbPlan) error {
	var deletes []store.Op
	for _, o := range plan.vips {
		if o.Value == nil && p.s.vips.get(o.Key).mod > 0 {
			deletes = append(deletes, store.Op{Key: o.Key, Delete: true})
		}
	}
	if err := p.writeVIPs(ctx, "delete VIPs", plan.rev, deletes); err != nil {
		return err
	}
	deletes = nil
	keep := make(map[string]bool)
	for _, list := range [][]Object{plan.services, plan.routes, plan.listeners} {
		for _, o := range list {
			keep[o.Key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(p.had)) {
		if !keep[key] {
			deletes = append(deletes, store.Op{Key: key, Delete: true})
		}
	}
	if err := p.write(ctx, "delete listeners", dirListeners, p.s.listeners, math.MaxInt64, deletes); err != nil {
		return err
	}
	if err := p.removeAll(ctx, dirRoutes, keep); err != nil {
		return err
	}
	return p.removeAll(ctx, dirServices, keep)
}

// writeVIPs writes VIPs compiled from the model as of rev. Load balancers may
// share a VIP, so the unit's record does not order its writes. But they, too,
// come with a commit in the state directory: a VIP that was written at or before
// rev was compiled from the same model or an older one, and only such a one is
// replaced.
func (p *pass) writeVIPs(ctx context.Context, name string, rev int64, ops []store.Op) error {
	return p.write(ctx, name, dirVIPs, p.s.vips, rev, ops)
}

// write commits changes of one directory, each on the condition that its key is
// as the mirror knows it, and not newer than newest.
func (p *pass) write(ctx context.Context, name, dir string, m *mirror, newest int64, ops []store.Op) error {
	for batch := range slices.Chunk(ops, opsPerCommit/2) {
		if err := p.step(ctx, name); err != nil {
			return err
		}
		conds := make([]store.Cond, len(batch))
		for i, o := range batch {
			conds[i] = store.Cond{Key: o.Key, Mod: m.get(o.Key).mod}
			if conds[i].Mod > newest {
				return errStale
			}
		}
		rev, err := p.commit(ctx, []string{dir}, conds, slices.Clone(batch)...)
		if err != nil {
			for _, o := range batch {
				_ = p.refreshIn(ctx, m, o.Key) // err says what is wrong already
			}
			return err
		}
		for _, o := range batch {
			m.wrote(o.Key, o.Value, rev)
		}
	}
	return nil
}

// refreshIn reads a key anew into a mirror.
func (p *pass) refreshIn(ctx context.Context, m *mirror, key string) error {
	kv, ok, rev, err := p.s.store.Get(ctx, key)
	if err == nil {
		m.read(key, kv, ok, rev)
	}
	return err
}
