package admin

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/store"
)

// alone checks that nobody else has what only one object can have, as it was at revision
// since or later, and returns the conditions under which this stays true, and what is
// written with the object.
func (h *Handler) alone(ctx context.Context, at address, obj *apisix.Object, since int64) ([]store.Cond, []store.Op, *failure) {
	conds, ops, f := h.sameGroup(ctx, at, obj, since)
	if f != nil {
		return nil, nil, f
	}
	var also []store.Cond
	var locks []store.Op
	switch at.res.dir {
	case "consumers":
		also, locks, f = h.onlyKeys(ctx, at, obj, since)
	case "global_rules":
		also, f = h.onlyRule(ctx, at, obj)
	}
	return append(conds, also...), append(ops, locks...), f
}

// onlyRule refuses a plugin that another global rule has. There are few of them.
func (h *Handler) onlyRule(ctx context.Context, at address, obj *apisix.Object) ([]store.Cond, *failure) {
	dir := h.dir(at.res.dir)
	mine, _ := obj.Value("plugins").(map[string]any)
	var taken *failure
	rev, err := h.each(ctx, dir, 0, func(kv store.KV) error {
		tree, ok := isObject(kv.Value)
		if !ok || kv.Key == h.key(at) || taken != nil {
			return nil
		}
		plugins, _ := tree["plugins"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(plugins)) {
			if _, both := mine[name]; both {
				taken = bad(ruleTaken(name, strings.TrimPrefix(kv.Key, dir)))
			}
		}
		return nil
	})
	if err != nil {
		return nil, unavailable(err)
	}
	return []store.Cond{{Key: dir, Mod: rev, Rule: store.Quiet}}, taken
}

func ruleTaken(plugin, id string) string {
	return fmt.Sprintf("plugin '%s' already exists in global rule with id '%s'", plugin, id)
}

// onlyKeys refuses a consumer or credential whose key another one has: who sends it
// would be one of two. Writers of the same key are kept apart by a lock that both
// write, so that of two at once the second looks again.
func (h *Handler) onlyKeys(ctx context.Context, at address, obj *apisix.Object, since int64) ([]store.Cond, []store.Op, *failure) {
	keys := keysOf(obj.Tree())
	if len(keys) == 0 {
		return nil, nil, nil
	}
	known, upTo, err := h.knowledge.at(ctx, since, at.res.dir)
	if err != nil {
		return nil, nil, unavailable(err)
	}
	for _, key := range keys {
		other, taken, err := h.anyone(ctx, known, h.key(at), key.fact())
		switch {
		case err != nil:
			return nil, nil, unavailable(err)
		case taken:
			return nil, nil, bad(keyTaken(key.plugin, strings.TrimPrefix(other.Key, h.dir(at.res.dir))))
		}
	}
	var conds []store.Cond
	var ops []store.Op
	for _, lock := range locks(keys) {
		conds = append(conds, store.Cond{Key: lock, Mod: upTo, Rule: store.Unwritten})
		ops = append(ops, store.Op{Key: lock, Value: []byte(at.tail())})
	}
	return conds, ops, nil
}

func keyTaken(plugin, tail string) string {
	who := "consumer: " + tail
	if name, id, ok := apisix.SplitCredential(tail); ok {
		who = fmt.Sprintf("credential: %s of consumer: %s", id, name)
	}
	return fmt.Sprintf("duplicate key of plugin %s found with %s", plugin, who)
}

// locksDir is where the locks are: outside of what data planes read. Their values
// mean nothing.
const locksDir = "/unilb/locks/consumer-keys/"

// locks are the locks of some keys, in order. There are 256 in all.
func locks(keys []consumerKey) []string {
	seen := map[string]bool{}
	for _, k := range keys {
		seen[lockOf(locksDir, k.plugin+"\x00"+k.value)] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// lockOf is the lock of a name, one of 256.
func lockOf(dir, name string) string {
	f := fnv.New32a()
	_, _ = f.Write([]byte(name)) // never fails
	return fmt.Sprintf("%s%02x", dir, f.Sum32()%256)
}

// owner is the key of the consumer that a credential belongs to.
func (h *Handler) owner(at address) string {
	name, _, _ := apisix.SplitCredential(at.within)
	return h.dir("consumers") + name
}

// ownerExists adds the condition that a credential's consumer is there.
func (h *Handler) ownerExists(ctx context.Context, at address, conds []store.Cond) ([]store.Cond, *failure) {
	key := h.owner(at)
	_, ok, _, err := h.st.Get(ctx, key)
	switch {
	case err != nil:
		return nil, unavailable(err)
	case !ok:
		return nil, fail(404, "consumer not found")
	}
	return append(conds, store.Cond{Key: key, Rule: store.Exists}), nil
}
