package l4

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

// A directory is what etcd says, by key: the last valid version of each object.
// An invalid object never harms another one. Not safe for concurrent use.
type directory struct {
	underlay string // own address: never a VIP
	vips     map[string]VIP
	members  map[string]Member
	// Why the newest version of an object is not in force, by key.
	badVIPs, badMembers map[string]error
}

func newDirectory(underlay string) *directory {
	return &directory{underlay: underlay, vips: map[string]VIP{}, members: map[string]Member{},
		badVIPs: map[string]error{}, badMembers: map[string]error{}}
}

// takeVIPs applies a batch of everything below /unilb/l4.
func (d *directory) takeVIPs(b store.Batch) {
	take(b, d.vips, d.badVIPs, func(kv store.KV) (VIP, bool, error) {
		if len(kv.Key) <= len(VIPPrefix) || kv.Key[:len(VIPPrefix)] != VIPPrefix {
			return VIP{}, false, nil
		}
		v, err := ParseVIP(kv.Key, kv.Value)
		if err == nil && v.Addr.String() == d.underlay {
			err = fmt.Errorf("address %s is this node's own", v.Addr)
		}
		return v, err == nil, err
	})
}

// takeRegistrations applies a batch of everything below the registry.
func (d *directory) takeRegistrations(b store.Batch) {
	take(b, d.members, d.badMembers, func(kv store.KV) (Member, bool, error) {
		kind, _, _ := cutKey(kv.Key)
		if _, ok := ParsePool(kind); !ok {
			return Member{}, false, nil // of no pool: whatever it says is not ours to judge
		}
		r, err := node.ParseRegistration(kv.Value)
		if err != nil {
			return Member{}, false, err
		}
		if node.RegistryKey(r.Kind, r.Name) != kv.Key {
			return Member{}, false, fmt.Errorf("kind %q and name %q do not match the key", r.Kind, r.Name)
		}
		return MemberOf(r)
	})
}

// cutKey splits a registry key into kind and name.
func cutKey(key string) (kind, name string, ok bool) {
	if len(key) <= len(node.RegistryPrefix) || key[:len(node.RegistryPrefix)] != node.RegistryPrefix {
		return "", "", false
	}
	rest := key[len(node.RegistryPrefix):]
	for i := range rest {
		if rest[i] == '/' {
			return rest[:i], rest[i+1:], true
		}
	}
	return "", "", false
}

// take applies a batch to one kind of objects. parse returns false for keys that
// hold none.
func take[T any](b store.Batch, into map[string]T, invalid map[string]error, parse func(store.KV) (T, bool, error)) {
	if b.Reset {
		there := make(map[string]bool, len(b.Puts))
		for _, kv := range b.Puts {
			there[kv.Key] = true
		}
		maps.DeleteFunc(into, func(key string, _ T) bool { return !there[key] })
		clear(invalid)
	}
	for _, key := range b.Deletes {
		delete(into, key)
		delete(invalid, key)
	}
	for _, kv := range b.Puts {
		v, ours, err := parse(kv)
		switch {
		case err != nil:
			invalid[kv.Key] = err
		case ours:
			into[kv.Key] = v
			delete(invalid, kv.Key)
		default:
			delete(into, kv.Key)
			delete(invalid, kv.Key)
		}
	}
}

// resolve returns what is to be in force, sorted, and why some objects are not:
// those that are invalid, that claim another's member address, or that are more
// than the kernel's maps hold. Where two collide the first by name wins, as on
// every other L4 node.
func (d *directory) resolve() ([]VIP, []Member, map[string]error) {
	refused := maps.Clone(d.badVIPs)
	maps.Copy(refused, d.badMembers)
	var members []Member
	owner := map[memberKey]string{}
	for _, key := range slices.SortedFunc(maps.Keys(d.members), func(a, b string) int {
		return cmp.Or(cmp.Compare(d.members[a].Pool, d.members[b].Pool), cmp.Compare(d.members[a].Name, d.members[b].Name))
	}) {
		m := d.members[key]
		if other, taken := owner[m.key()]; taken {
			refused[key] = fmt.Errorf("member address %s belongs to %s", m.Addr, other)
			continue
		}
		if len(members) == maxMembers {
			refused[key] = fmt.Errorf("more than %d members", maxMembers)
			continue
		}
		owner[m.key()] = m.Name
		members = append(members, m)
	}
	var vips []VIP
	services := 0
	for _, key := range slices.Sorted(maps.Keys(d.vips)) {
		v := d.vips[key]
		if services += len(v.Ports); services > maxServices || len(vips) == maxVIPs {
			services -= len(v.Ports)
			refused[key] = fmt.Errorf("more than %d VIPs or %d services", maxVIPs, maxServices)
			continue
		}
		vips = append(vips, v)
	}
	return vips, members, refused
}
