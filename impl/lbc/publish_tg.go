package lbc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

// addressesPerCommit keeps a commit below etcd's limit of 128 operations: each
// address takes three.
const addressesPerCommit = 40

// targetGroup publishes a target group: addresses and mappings, then, when
// agents have these in force, the upstream, then it releases the addresses that
// the upstream no longer names.
func (p *pass) targetGroup(ctx context.Context) error {
	tg := p.u.name
	for {
		var changes []addressChange
		var err error
		p.s.view(func(m *Model) { changes, err = m.wantAddresses(tg) })
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			break
		}
		if err := p.step(ctx, "put mappings"); err != nil {
			return err
		}
		if err := p.saveAddresses(ctx, changes[:min(len(changes), addressesPerCommit)]); err != nil {
			return err
		}
	}
	var upstream *Object
	var missing []vpc.Owner
	mappings := int64(0)
	zones := p.s.hostZones()
	p.s.view(func(m *Model) {
		g := m.tgs[tg]
		if g == nil {
			return
		}
		for _, o := range m.owners(g) {
			if a, ok := m.table.Find(o); ok {
				mappings = max(mappings, m.mods[addressKey(a.UniqueIP)])
				p.keys = append(p.keys, vpc.MappingKey(a.UniqueIP))
			}
		}
		var o Object
		o, missing = m.compileUpstream(g, zones)
		upstream = &o
	})
	if len(missing) > 0 {
		return errStale // the model moved on since the addresses were saved
	}
	if upstream == nil {
		if err := p.removeAll(ctx, dirUpstreams, nil); err != nil {
			return err
		}
		if err := p.fence(ctx); err != nil {
			return err
		}
		if err := p.release(ctx); err != nil {
			return err
		}
		return p.finish(ctx, false, nil)
	}
	if mappings > 0 { // no guests behind it: nothing that agents must have
		p.touch(dirMappings, mappings)
	}
	if err := p.step(ctx, "wait for mappings"); err != nil {
		return err
	}
	p.s.awaitMappings(ctx, mappings)
	if err := p.put(ctx, *upstream); err != nil {
		return err
	}
	if err := p.release(ctx); err != nil {
		return err
	}
	return p.finish(ctx, true, nil)
}

// An addressChange is a step of one unique IP.
type addressChange struct {
	address vpc.Address
	conds   []store.Cond
	newly   bool // given to a new owner
}

// wantAddresses returns the steps by which each guest behind a target group
// gets, or keeps, an address with an up-to-date mapping.
func (m *Model) wantAddresses(tg string) ([]addressChange, error) {
	var changes []addressChange
	var without []vpc.Owner
	for _, o := range m.owners(m.tgs[tg]) {
		a, ok := m.table.Find(o)
		if !ok {
			without = append(without, o)
			continue
		}
		next := a
		if _, uses := slices.BinarySearch(a.Users, tg); !uses || a.State != vpc.Active {
			var err error
			if next, err = a.Use(tg); err != nil {
				return nil, err
			}
		}
		if c, changed := m.remap(a, next, next.State != a.State || len(next.Users) != len(a.Users)); changed {
			changes = append(changes, c)
		}
	}
	without = without[:min(len(without), addressesPerCommit)]
	free, err := m.table.Pick(len(without))
	if err != nil {
		return nil, err
	}
	for i, o := range without {
		a, err := free[i].Give(o, tg)
		if err != nil {
			return nil, err
		}
		c, _ := m.remap(free[i], a, true)
		c.newly = true
		c.conds = append(c.conds, store.Cond{Key: ownerKey(o), Mod: m.mods[ownerKey(o)]})
		changes = append(changes, c)
	}
	return changes, nil
}

// remap renews the mapping in a record. changed is whether there is anything to
// write; force says that there is. The commit depends on the record and on the
// port being as they are now.
func (m *Model) remap(old, a vpc.Address, force bool) (c addressChange, changed bool) {
	port := portRef(a.Owner.VPC, a.Owner.IP.String()).key()
	c.conds = []store.Cond{
		{Key: addressKey(a.UniqueIP), Mod: m.mods[addressKey(a.UniqueIP)]},
		{Key: port, Mod: m.mods[port]},
	}
	if mapping, ok := m.compileMapping(a); ok {
		force = force || old.Mapping == nil || *old.Mapping != mapping
		a.Mapping = &mapping
	}
	c.address = a
	return c, force
}

// ops writes a record and, in the same commit, what it means to agents. While
// an address has a mapping, record and mapping have one modification revision.
func (c addressChange) ops() []store.Op {
	a := c.address
	value, err := json.Marshal(a)
	if err != nil {
		panic("encode unique IP: " + err.Error()) // our own types always encode
	}
	ops := []store.Op{{Key: addressKey(a.UniqueIP), Value: value}}
	if a.Mapping != nil {
		ops = append(ops, store.Op{Key: a.Mapping.Key(), Value: encode(a.Mapping.Key(), a.Mapping).Value})
	}
	if c.newly {
		ops = append(ops, store.Op{Key: ownerKey(a.Owner), Value: []byte(`"` + a.UniqueIP.String() + `"`)})
	}
	return ops
}

// saveAddresses commits steps of addresses and waits until the model has them.
func (p *pass) saveAddresses(ctx context.Context, changes []addressChange) error {
	var conds []store.Cond
	var ops []store.Op
	seen := make(map[string]bool)
	for _, c := range changes {
		for _, cond := range c.conds {
			if !seen[cond.Key] {
				seen[cond.Key] = true
				conds = append(conds, cond)
			}
		}
		ops = append(ops, c.ops()...)
	}
	rev, err := p.commit(ctx, []string{dirMappings}, conds, ops...)
	if err != nil {
		return err
	}
	return p.follow(ctx, rev)
}

// release takes the group off the users of addresses that it no longer sends
// to. Their drain begins when gateways have in force what was just published.
func (p *pass) release(ctx context.Context) error {
	for {
		var changes []addressChange
		var err error
		p.s.view(func(m *Model) {
			wanted := m.owners(m.tgs[p.u.name])
			for _, a := range m.used(p.u.name) {
				if slices.Contains(wanted, a.Owner) || a.State != vpc.Active {
					continue
				}
				next, rerr := a.Release(p.u.name, p.touched[dirUpstreams])
				if rerr != nil {
					err = rerr
					return
				}
				c, _ := m.remap(a, next, true)
				changes = append(changes, c)
			}
		})
		if err != nil || len(changes) == 0 {
			return err
		}
		if err := p.step(ctx, "release addresses"); err != nil {
			return err
		}
		if err := p.saveAddresses(ctx, changes[:min(len(changes), addressesPerCommit)]); err != nil {
			return err
		}
	}
}

// port publishes a port: the mapping of its guest, if it has one, follows it.
func (p *pass) port(ctx context.Context) error {
	id, address, _ := strings.Cut(p.u.name, "/")
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return fmt.Errorf("publish port %s: %w", p.u.name, err)
	}
	var changes []addressChange
	exists := false
	p.s.view(func(m *Model) {
		exists = m.has(portRef(id, address))
		v := m.vpcs[id]
		if v == nil {
			return
		}
		// A VPC keeps its VNI while any guest of it has a unique IP.
		a, ok := m.table.Find(vpc.Owner{VPC: id, VNI: v.VNI, IP: ip})
		if !ok {
			return
		}
		if c, changed := m.remap(a, a, false); changed {
			changes = append(changes, c)
		}
		p.touch(dirMappings, m.mods[addressKey(a.UniqueIP)])
		p.keys = append(p.keys, vpc.MappingKey(a.UniqueIP))
	})
	if len(changes) > 0 {
		if err := p.step(ctx, "put mapping"); err != nil {
			return err
		}
		if err := p.saveAddresses(ctx, changes); err != nil {
			return err
		}
	}
	return p.finish(ctx, exists, nil)
}
