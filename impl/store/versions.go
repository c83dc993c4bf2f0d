package store

import (
	"hash/maphash"
	"sort"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// versions remembers what was handed out: per key, enough to tell whether the
// consumer has this very version. Revisions alone do not: in a cluster restored
// from a backup the same revision can hold another value.
type versions struct {
	seed maphash.Seed
	of   map[string]version
}

type version struct {
	create, mod int64
	sum         uint64
}

func newVersions() *versions {
	return &versions{seed: maphash.MakeSeed(), of: make(map[string]version)}
}

// replace makes kvs the whole content and returns the difference.
func (v *versions) replace(kvs []KV) (puts []KV, deletes []string) {
	seen := make(map[string]bool, len(kvs))
	for _, kv := range kvs {
		seen[kv.Key] = true
		now := v.version(kv)
		if old, ok := v.of[kv.Key]; ok && old == now {
			continue
		}
		v.of[kv.Key] = now
		puts = append(puts, kv)
	}
	for key := range v.of {
		if !seen[key] {
			deletes = append(deletes, key)
			delete(v.of, key)
		}
	}
	sort.Strings(deletes)
	return puts, deletes
}

// step applies events that are newer than after. Of several events of one key
// only the last one counts.
func (v *versions) step(events []*clientv3.Event, after int64) (puts []KV, deletes []string) {
	last := make(map[string]int, len(events))
	for i, e := range events {
		last[string(e.Kv.Key)] = i
	}
	for i, e := range events {
		key := string(e.Kv.Key)
		if e.Kv.ModRevision <= after || last[key] != i {
			continue
		}
		if e.Type == clientv3.EventTypeDelete {
			if _, ok := v.of[key]; ok {
				delete(v.of, key)
				deletes = append(deletes, key)
			}
			continue
		}
		kv := fromPB(e.Kv)
		v.of[key] = v.version(kv)
		puts = append(puts, kv)
	}
	return puts, deletes
}

// newest is the key that was written last, and which version; "": there is none.
func (v *versions) newest() (key string, at version) {
	for k, ver := range v.of {
		if key == "" || ver.mod > at.mod || ver.mod == at.mod && k < key {
			key, at = k, ver
		}
	}
	return key, at
}

func (v *versions) version(kv KV) version {
	return version{create: kv.Create, mod: kv.Mod, sum: maphash.Bytes(v.seed, kv.Value)}
}
