package gateway

import (
	"maps"
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
	known   map[string]map[string]object // prefix to keys that were put
	hash    map[string]store.Hash        // prefix to the hash of what is in force
	refused map[string]string            // key to why
	applied map[string]int64             // prefix to revision
	newest  map[string]int64             // directory of APISIX to the highest revision of an object
	rebuilt uint64                       // objects that were compiled, or refused
	secrets referrers
}

// object is one that was put.
type object struct {
	hash   store.Hash // of its version in force; 0: none is
	create int64      // revision at which it came to be
}

func newConfigurator(g *Gateway) *configurator {
	return &configurator{g: g, snap: config.Empty(g.o.Keyring).By(g.o.Router), known: map[string]map[string]object{}, hash: map[string]store.Hash{}, refused: map[string]string{},
		applied: map[string]int64{}, newest: map[string]int64{}, secrets: newReferrers()}
}

// apply puts a batch in force. When it has returned, new requests meet it, and
// the node says so. It returns the keys of objects that were refused, and whether a
// previous version of each stays; not those that may only lack a secret.
func (c *configurator) apply(prefix string, b store.Batch) (refused map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	managers, orphans := c.manage(prefix, b)
	changes := c.changes(prefix, b)
	refused = c.force(prefix, append(c.again(orphans), changes...))
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
	c.sum(prefix, changes, d.Refused)
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
		refused[key] = c.known[prefix][key].hash != 0
	}
	return refused
}

func (c *configurator) report(d config.Delta) {
	for key := range d.Accepted {
		delete(c.refused, key)
		c.g.node.Accept(key)
	}
	for key, err := range d.Refused {
		c.refused[key] = node.ErrorText(err)
		c.g.node.Refuse(key, err)
		c.g.o.Log.Warn("object refused, previous version stays", obs.Key, key, obs.Err, err)
	}
}

// changes lists what a batch changes, deletions first. An object that was deleted and put
// again since the last batch is another one, which the batch does not say: it is deleted
// here, so that a new one that is refused does not leave the old one in force.
func (c *configurator) changes(prefix string, b store.Batch) []config.Change {
	known := c.known[prefix]
	if known == nil {
		known = map[string]object{}
		c.known[prefix] = known
	}
	gone := b.Deletes
	if b.Reset {
		put := make(map[string]bool, len(b.Puts))
		for _, kv := range b.Puts {
			put[kv.Key] = true
		}
		for key := range known {
			if !put[key] {
				gone = append(gone, key)
			}
		}
	}
	out := make([]config.Change, 0, len(gone)+len(b.Puts))
	for _, key := range gone {
		c.unrefer(key)
		ch := change(prefix, key)
		ch.Delete = true
		out = append(out, ch)
	}
	for _, kv := range b.Puts {
		ch := change(prefix, kv.Key)
		if old, ok := known[kv.Key]; ok && old.create != kv.Create {
			out = append(out, config.Change{Kind: ch.Kind, ID: ch.ID, Key: ch.Key, Delete: true})
		}
		ch.Value, ch.Create, ch.Mod = kv.Value, kv.Create, kv.Mod
		c.refer(kv, &ch)
		out = append(out, ch)
		if ch.Kind == config.Other {
			continue
		}
		dir := ch.Kind.Directory()
		c.newest[dir] = max(c.newest[dir], kv.Mod)
		c.rebuilt++
	}
	return out
}

// sum brings the hash of a prefix up to date after changes. Of an object that was refused
// its previous version counts, or nothing. Kinds that the gateway does not know count as
// they were read.
func (c *configurator) sum(prefix string, changes []config.Change, refused map[string]error) {
	known, sum := c.known[prefix], c.hash[prefix]
	for _, ch := range changes {
		old := known[ch.Key]
		switch {
		case ch.Delete:
			delete(known, ch.Key)
			sum -= old.hash
		case refused[ch.Key] != nil:
			known[ch.Key] = object{old.hash, ch.Create}
		default:
			now := store.HashOf(ch.Key, ch.Value)
			known[ch.Key] = object{now, ch.Create}
			sum += now - old.hash
		}
	}
	c.hash[prefix] = sum
}

// change finds kind and id of a key.
func change(prefix, key string) config.Change {
	ch := config.Change{Key: key}
	rest := strings.TrimPrefix(key, prefix+"/")
	if prefix == ListenersPrefix {
		if rest != "" && !strings.Contains(rest, "/") {
			ch.Kind, ch.ID = config.Listeners, rest
		}
		return ch
	}
	ch.Kind, ch.ID = config.Locate(rest)
	return ch
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

// status is what the status listener says about the configuration.
func (c *configurator) status() (*config.Snapshot, map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snap, maps.Clone(c.refused)
}
