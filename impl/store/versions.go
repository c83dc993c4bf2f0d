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

// version is 16 bytes for each of perhaps a hundred thousand objects.
type version struct {
	mod int64
	sum uint64 // of the value and the revision of its creation; 0: the key was deleted
}

func newVersions() *versions {
	return &versions{seed: maphash.MakeSeed(), of: make(map[string]version)}
}

// replace makes kvs the whole content and returns the difference.
func (v *versions) replace(kvs []KV) (puts []KV, deletes []string) {
	if len(v.of) == 0 {
		v.of = make(map[string]version, len(kvs))
		for i := range kvs {
			v.of[kvs[i].Key] = v.version(&kvs[i])
		}
		return kvs, nil
	}
	for i := range kvs {
		now := v.version(&kvs[i])
		if old, ok := v.of[kvs[i].Key]; !ok || old != now {
			v.of[kvs[i].Key] = now
			puts = append(puts, kvs[i])
		}
	}
	if len(v.of) > len(kvs) {
		deletes = v.keep(kvs)
	}
	return puts, deletes
}

// keep forgets what is not among kvs, and returns the keys of that in their order.
func (v *versions) keep(kvs []KV) (gone []string) {
	there := make(map[string]bool, len(kvs))
	for i := range kvs {
		there[kvs[i].Key] = true
	}
	for key := range v.of {
		if !there[key] {
			gone = append(gone, key)
			delete(v.of, key)
		}
	}
	sort.Strings(gone)
	return gone
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
		v.of[key] = v.version(&kv)
		puts = append(puts, kv)
	}
	return puts, deletes
}

// only remembers what was written or deleted last, and nothing else. "" as its key:
// nothing was.
func (v *versions) only(kv KV) {
	clear(v.of)
	if kv.Key != "" {
		v.of[kv.Key] = v.version(&kv)
	}
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

func (v *versions) version(kv *KV) version {
	if kv.Create == 0 {
		return version{mod: kv.Mod}
	}
	const odd = 0x9e3779b97f4a7c15 // one to one: revisions that differ give sums that differ
	return version{mod: kv.Mod, sum: maphash.Bytes(v.seed, kv.Value) + uint64(kv.Create)*odd}
}
