package gateway

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

const (
	// secretPatience is how long a start waits for what managers of secrets say, less than
	// a successor may take to be ready.
	secretPatience = 5 * time.Second
	// maxTroubles bounds the references that /status/config lists.
	maxTroubles = 1000
)

// referrers are what the configurator knows of references to secrets. Its mutex guards
// them.
type referrers struct {
	// objects are, by key, those that refer to secrets, as they were put last, or whose
	// version in force does.
	objects map[string]store.KV
	// inForce are the versions in force of these, where they refer to secrets: another
	// one than was put last while that is refused.
	inForce map[string]referrer
	// waiting are the objects that lack a secret, and what they add to the hash, which
	// counts them as they were put, beside their versions in force.
	waiting  map[string]store.Hash
	managers map[string]bool // keys of managers
}

// referrer is a version of an object, and what it refers to.
type referrer struct {
	kv   store.KV
	refs []string // sorted
}

func newReferrers() referrers {
	return referrers{objects: map[string]store.KV{}, inForce: map[string]referrer{}, waiting: map[string]store.Hash{}, managers: map[string]bool{}}
}

// manager is the id of the manager of secrets that a key of APISIX names, such as vault/1;
// "": none.
func manager(prefix, key string) string {
	id, ok := strings.CutPrefix(key, prefix+"/secrets/")
	if kind, rest, _ := strings.Cut(id, "/"); !ok || kind == "" || rest == "" || strings.Contains(rest, "/") {
		return ""
	}
	return id
}

// manage takes the managers of secrets of a batch to the resolver. It returns what there
// is to report of them, and the objects whose secrets are not known any more.
func (c *configurator) manage(prefix string, b store.Batch) (d config.Delta, orphans []string) {
	d = config.Delta{Refused: map[string]error{}}
	if prefix != c.g.o.Prefix {
		return d, nil
	}
	gone := maps.Clone(c.secrets.managers)
	if !b.Reset {
		clear(gone)
	}
	for _, key := range b.Deletes {
		if c.secrets.managers[key] {
			gone[key] = true
		}
	}
	for _, kv := range b.Puts {
		id := manager(c.g.o.Prefix, kv.Key)
		if id == "" {
			continue
		}
		delete(gone, kv.Key)
		c.secrets.managers[kv.Key] = true
		users, err := c.g.secrets.Manage(id, kv.Value)
		orphans = append(orphans, users...)
		if err != nil {
			d.Refused[kv.Key] = err
		} else {
			d.Accepted = append(d.Accepted, kv.Key)
		}
	}
	for key := range gone {
		delete(c.secrets.managers, key)
		users, _ := c.g.secrets.Manage(manager(c.g.o.Prefix, key), nil) // which cannot fail
		orphans = append(orphans, users...)
		d.Accepted = append(d.Accepted, key)
	}
	return d, orphans
}

// refer notes what an object that was put refers to, and says what that stands for. What
// its version in force refers to is followed until another one is.
func (c *configurator) refer(kv store.KV, ch *config.Change) {
	refs := config.References(*ch)
	stays := c.secrets.inForce[kv.Key].refs
	if len(refs)+len(stays) == 0 {
		c.unrefer(kv.Key)
		return
	}
	c.secrets.objects[kv.Key] = kv
	c.g.secrets.Use(kv.Key, union(refs, stays))
	c.lookUp(ch, refs)
}

// lookUp says what references stand for.
func (c *configurator) lookUp(ch *config.Change, refs []string) {
	ch.Secrets = make(map[string]config.Secret, len(refs))
	for _, ref := range refs {
		value, err := c.g.secrets.Lookup(ref)
		ch.Secrets[ref] = config.Secret{Value: value, Err: err}
	}
}

// union is the references of two sorted lists, each once.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// unrefer notes that an object refers to nothing, or is gone.
func (c *configurator) unrefer(key string) {
	if _, ok := c.secrets.objects[key]; ok {
		delete(c.secrets.objects, key)
		delete(c.secrets.inForce, key)
		c.g.secrets.Use(key, nil)
	}
}

// follow notes which versions of objects with references are in force after changes, and
// whose secrets need not be followed any more.
func (c *configurator) follow(changes []config.Change, refused map[string]error) {
	for _, ch := range changes {
		newest, refers := c.secrets.objects[ch.Key]
		switch {
		case ch.Delete || !refers || refused[ch.Key] != nil:
		case ch.Mod != newest.Mod: // the newest comes after it
		default:
			refs := config.References(ch)
			if len(refs) == 0 {
				c.unrefer(ch.Key)
				continue
			}
			c.secrets.inForce[ch.Key] = referrer{newest, refs}
			c.g.secrets.Use(ch.Key, refs)
		}
	}
}

// again lists the changes that apply objects anew whose secrets are others than before:
// of one that is refused the version in force, too, and before it.
func (c *configurator) again(keys []string) []config.Change {
	var out []config.Change
	for _, key := range keys {
		newest, ok := c.secrets.objects[key]
		if !ok {
			continue // it has been changed meanwhile
		}
		versions := []store.KV{newest}
		if now, ok := c.secrets.inForce[key]; ok && now.kv.Mod != newest.Mod {
			versions = []store.KV{now.kv, newest}
		}
		for _, kv := range versions {
			ch := written(c.g.o.Prefix, kv)
			c.lookUp(&ch, config.References(ch))
			c.rebuilt++
			out = append(out, ch)
		}
	}
	return out
}

// secretsChanged puts objects in force with what their references stand for now. The
// revision stays: etcd has not changed.
func (c *configurator) secretsChanged(keys []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changes := c.again(keys)
	if len(changes) == 0 {
		return
	}
	prefix := c.g.o.Prefix
	refused := c.force(prefix, changes)
	c.g.node.InForce(prefix, c.applied[prefix], c.hash[prefix])
	var taken []store.KV
	for _, ch := range changes {
		if _, is := refused[ch.Key]; !is && ch.Mod == c.secrets.objects[ch.Key].Mod {
			taken = append(taken, c.secrets.objects[ch.Key])
		}
	}
	c.g.last.anew(prefix, c.applied[prefix], taken)
	c.g.o.Log.Debug("secrets in force", "objects", len(taken), "refused", len(refused))
}

// awaitSecrets waits for the first answers of managers of secrets, so that nobody meets a
// gateway without its certificates, but not for long.
func (g *Gateway) awaitSecrets(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, secretPatience)
	defer cancel()
	if g.secrets.Settled(ctx) != nil {
		g.o.Log.Warn("beginning without secrets that are not known yet", obs.Err, context.Cause(ctx))
	}
}

// collectSecrets exposes what is known of secrets, and how asking for them goes.
func (g *Gateway) collectSecrets(s *samples) {
	c := g.secrets.Counts()
	s.gauge(secretsDesc, float64(c.Known), "known")
	s.gauge(secretsDesc, float64(c.Stale), "stale")
	s.gauge(secretsDesc, float64(c.Unknown), "unknown")
	s.counter(secretAskedDesc, c.Good, "good")
	s.counter(secretAskedDesc, c.Failed, "failed")
}

// token is where a manager of the kind vault has its token.
var token = [][]string{{"token"}}

// sealedManager is what of a manager of secrets may stand in the file of the last good
// configuration: its token is sealed there, though APISIX keeps it in clear in etcd. Kinds
// that this gateway cannot ask are left out.
func sealedManager(k *apisix.Keyring, id string, value []byte) ([]byte, bool) {
	o, err := apisix.Parse(value)
	if err == nil {
		o, err = k.SealMembers(o, token)
	}
	if err != nil || !strings.HasPrefix(id, "vault/") {
		return nil, false
	}
	return o.Encode(), true
}

// openManager is the reverse, of what the file has.
func openManager(k *apisix.Keyring, value []byte) []byte {
	o, err := apisix.Parse(value)
	if err == nil {
		o, err = k.OpenMembers(o, token)
	}
	if err != nil {
		return value
	}
	return o.Encode()
}
