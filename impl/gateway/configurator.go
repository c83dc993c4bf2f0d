package gateway

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

// configurator turns batches of the store into snapshots. Batches of the two
// prefixes come from two goroutines; they are applied one after another.
type configurator struct {
	g *Gateway

	mu      sync.Mutex
	snap    *config.Snapshot
	foreign map[string]store.Hash // key of an object whose kind the gateway does not know
	hash    map[string]store.Hash // prefix to the hash of what is in force
	refused map[string]string     // key to why
	applied map[string]int64      // prefix to revision
	newest  map[string]int64      // directory of APISIX to the highest revision of an object
	rebuilt uint64                // objects that were compiled, or refused
	secrets referrers
}

func newConfigurator(g *Gateway) *configurator {
	return &configurator{g: g, snap: config.Empty(g.o.Keyring).By(g.o.Router), foreign: map[string]store.Hash{}, hash: map[string]store.Hash{}, refused: map[string]string{},
		applied: map[string]int64{}, newest: map[string]int64{}, secrets: newReferrers()}
}

// apply puts a batch in force. When it has returned, new requests meet it, and
// the node says so. It returns the keys of objects that were refused, and whether a
// previous version of each stays; not those that may only lack a secret.
func (c *configurator) apply(prefix string, b store.Batch) (refused map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	managers, orphans := c.manage(prefix, b)
	if again := c.again(orphans); len(again) > 0 {
		c.force(prefix, again)
	}
	refused = c.force(prefix, c.changes(prefix, b))
	c.report(managers)
	for key, stays := range refused {
		if _, refers := c.secrets.objects[key]; refers && !stays {
			delete(refused, key) // it may come into force with its secrets
		}
	}
	c.applied[prefix] = b.Revision
	c.g.node.InForce(prefix, b.Revision, c.hash[prefix])
	c.g.o.Log.Debug("configuration in force", obs.Prefix, prefix, obs.Rev, b.Revision,
		"puts", len(b.Puts), "deletes", len(b.Deletes))
	return refused
}

// force puts changes in force and returns the keys of objects that were refused, and
// whether a previous version of each stays. c.mu is held.
func (c *configurator) force(prefix string, changes []config.Change) (refused map[string]bool) {
	next, d := c.snap.Apply(changes)
	c.snap = next
	c.hash[prefix] += store.Hash(d.Sum)
	c.await(prefix, changes, d.Refused)
	c.follow(changes, d.Refused)
	for key, up := range d.Upstreams {
		if up != nil { // before the snapshot that uses it
			c.g.health.set(key, up)
		}
	}
	var gone []string
	for key, up := range d.Upstreams {
		if up == nil {
			gone = append(gone, key)
		}
	}
	c.g.pipeline.Use(next, gone)
	for id, cert := range d.Certificates { // before the table that serves it
		c.g.staples.Set(id, cert)
	}
	c.g.certs.Use(next.Certificates())
	for _, key := range gone {
		c.g.health.set(key, nil)
	}
	c.report(d)
	if d.ListenersChanged {
		c.g.listeners.reconcile(next.Listeners())
	}
	refused = make(map[string]bool, len(d.Refused))
	for key := range d.Refused {
		ch := change(prefix, key)
		_, refused[key] = next.Stored(ch.Kind, ch.ID)
	}
	return refused
}

func (c *configurator) report(d config.Delta) {
	for _, key := range d.Accepted {
		delete(c.refused, key)
		c.g.node.Accept(key)
	}
	for key, err := range d.Refused {
		c.refused[key] = node.ErrorText(err)
		c.g.node.Refuse(key, err)
		if log := c.g.o.Log.With(obs.Key, key, obs.Err, err); c.stays(key) {
			log.Warn("object refused, previous version stays")
		} else {
			log.Warn("object refused, no version of it is in force")
		}
	}
}

// stays tells whether a version of an object is in force.
func (c *configurator) stays(key string) bool {
	prefix := c.g.o.Prefix
	if strings.HasPrefix(key, ListenersPrefix+"/") {
		prefix = ListenersPrefix
	}
	ch := change(prefix, key)
	_, stays := c.snap.Stored(ch.Kind, ch.ID)
	return stays
}

// changes lists what a batch changes, deletions first. An object that was deleted and put
// again since the last batch is another one, which the batch does not say: it is deleted
// here, so that a new one that is refused does not leave the old one in force.
func (c *configurator) changes(prefix string, b store.Batch) []config.Change {
	gone := b.Deletes
	if b.Reset {
		gone = append(gone, c.missing(prefix, b.Puts)...)
	}
	out := make([]config.Change, 0, len(gone)+len(b.Puts))
	for _, key := range gone {
		c.unrefer(key)
		ch := change(prefix, key)
		ch.Delete = true
		if ch.Kind == config.Other {
			c.alien(prefix, key, 0)
		}
		out = append(out, ch)
	}
	for _, kv := range b.Puts {
		ch := written(prefix, kv)
		if ch.Kind == config.Other {
			c.alien(prefix, kv.Key, store.Hash(ch.Sum))
			continue
		}
		if old, ok := c.snap.Stored(ch.Kind, ch.ID); ok && old.Create != kv.Create {
			c.unrefer(kv.Key)
			out = append(out, config.Change{Kind: ch.Kind, ID: ch.ID, Key: ch.Key, Delete: true})
		}
		c.refer(kv, &ch)
		out = append(out, ch)
		dir := ch.Kind.Directory()
		c.newest[dir] = max(c.newest[dir], kv.Mod)
		c.rebuilt++
	}
	return out
}

// missing are the keys of a prefix of which anything is known and that are not among kvs.
func (c *configurator) missing(prefix string, kvs []store.KV) (keys []string) {
	add := func(key string) {
		if strings.HasPrefix(key, prefix+"/") {
			keys = append(keys, key)
		}
	}
	for kind := range config.Kinds() {
		for _, id := range c.snap.IDs(kind) {
			if key := keyOf(prefix, kind, id); key != "" {
				keys = append(keys, key)
			}
		}
	}
	for key := range c.foreign {
		add(key)
	}
	for key := range c.refused { // of which no version may be in force
		add(key)
	}
	if len(keys) == 0 { // as at the start
		return nil
	}
	put := make(map[string]bool, len(kvs))
	for _, kv := range kvs {
		put[kv.Key] = true
	}
	return slices.DeleteFunc(keys, func(key string) bool { return put[key] })
}

// objectsRebuilt is how many objects were compiled, or refused, since the start.
func (c *configurator) objectsRebuilt() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rebuilt
}

// revisions returns the revision in force of each prefix, the hash of what is, and of each
// directory of APISIX the highest revision of an object that was taken in, as APISIX tells
// them.
func (c *configurator) revisions() (applied map[string]int64, hash map[string]store.Hash, indexes map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	indexes = map[string]int64{"max_modify_index": 0, "x_etcd_index": c.applied[c.g.o.Prefix]}
	for _, dir := range config.Directories() {
		indexes[dir] = c.newest[dir]
		indexes["max_modify_index"] = max(indexes["max_modify_index"], c.newest[dir])
	}
	return maps.Clone(c.applied), maps.Clone(c.hash), indexes
}

// expiries are the ends of the certificates in force, by ssl object.
func (c *configurator) expiries() map[string]time.Time {
	c.mu.Lock()
	snap := c.snap
	c.mu.Unlock()
	return snap.Expiries()
}

// inForce is the snapshot that new requests meet.
func (c *configurator) inForce() *config.Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snap
}

// status is what the status listener says about the configuration. Refused are the objects
// that cannot be compiled, and the listeners that cannot be opened.
func (c *configurator) status() (snap *config.Snapshot, refused map[string]string) {
	refused = c.g.listeners.refusals() // before c.mu, under which listeners are reconciled
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(refused, c.refused)
	return c.snap, refused
}
