package admin

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/unilb/unilb/impl/store"
)

// uniqueFields are the members by which authentication plugins find a consumer.
var uniqueFields = map[string]string{
	"key-auth": "key", "basic-auth": "username", "jwt-auth": "key", "hmac-auth": "key_id", "ldap-auth": "user_dn",
}

// A consumerKey is what a client shows to be taken for a consumer.
type consumerKey struct{ plugin, value string }

// keysOf are the keys in an object's plugins, in order.
func keysOf(tree map[string]any) []consumerKey {
	plugins, _ := tree["plugins"].(map[string]any)
	var keys []consumerKey
	for _, name := range slices.Sorted(maps.Keys(uniqueFields)) {
		conf, _ := plugins[name].(map[string]any)
		if value, ok := conf[uniqueFields[name]].(string); ok {
			keys = append(keys, consumerKey{name, value})
		}
	}
	return keys
}

// consumerKeys remembers who had which key, so that a write need not read all
// consumers. It only says where to look: what it remembers may be gone, which the
// object itself then tells. It is bounded by what etcd holds of consumers.
type consumerKeys struct {
	mu   sync.Mutex
	seen int64                           // the revision up to which all is in it; 0: nothing yet
	of   map[consumerKey]map[string]bool // to what follows the directory in the holders' keys
}

// holder returns what follows the directory of consumers in the key of an object
// other than that at the address which has the key; "": there is none.
func (h *Handler) holder(ctx context.Context, key consumerKey, at address) (tail string, err error) {
	c := &h.consumers
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := h.catchUp(ctx); err != nil {
		return "", err
	}
	for _, tail := range slices.Sorted(maps.Keys(c.of[key])) {
		if tail == at.tail() {
			continue
		}
		kv, _, _, err := h.st.Get(ctx, h.dir("consumers")+tail)
		if err != nil {
			return "", err
		}
		if slices.Contains(h.storedKeys(kv.Value), key) {
			return tail, nil
		}
		delete(c.of[key], tail)
		if len(c.of[key]) == 0 {
			delete(c.of, key)
		}
	}
	return "", nil
}

// catchUp notes what was written since it was called last.
func (h *Handler) catchUp(ctx context.Context) error {
	c, dir := &h.consumers, h.dir("consumers")
	if c.seen > 0 {
		kvs, rev, err := h.st.Changed(ctx, c.seen, dir)
		if err != nil {
			return err
		}
		if rev >= c.seen { // else etcd was restored from a backup
			for _, kv := range kvs {
				h.noteKeys(kv)
			}
			c.seen = rev
			return nil
		}
	}
	c.of = map[consumerKey]map[string]bool{}
	rev, err := h.each(ctx, dir, 0, func(kv store.KV) error { h.noteKeys(kv); return nil })
	if err != nil {
		return err
	}
	c.seen = rev
	return nil
}

func (h *Handler) noteKeys(kv store.KV) {
	tail := strings.TrimPrefix(kv.Key, h.dir("consumers"))
	for _, key := range h.storedKeys(kv.Value) {
		holders := h.consumers.of[key]
		if holders == nil {
			holders = map[string]bool{}
			h.consumers.of[key] = holders
		}
		holders[tail] = true
	}
}

// storedKeys are the keys in a value of etcd.
func (h *Handler) storedKeys(value []byte) []consumerKey {
	plain, err := h.opened(credentials, value)
	if err != nil {
		return nil
	}
	tree, _ := isObject(plain)
	return keysOf(tree)
}
