package admin

import (
	"context"
	"maps"
	"slices"
	"strings"

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
			keys = append(keys, consumerKey{name, strings.Clone(value)})
		}
	}
	return keys
}

// consumerKeys says which consumers and credentials have which key.
func (h *Handler) consumerKeys() *holders[consumerKey] {
	return &holders[consumerKey]{remembers: &h.keysOfConsumers, h: h, dirs: []string{h.dir("consumers")}, of: func(kv store.KV) []consumerKey {
		plain, err := h.opened(credentials, kv.Value)
		if err != nil {
			return nil
		}
		tree, _ := isObject(plain)
		return keysOf(tree)
	}}
}

// holder returns what follows the directory of consumers in the key of an object
// other than that at the address which has the key; "": there is none.
func (h *Handler) holder(ctx context.Context, key consumerKey, at address) (tail string, err error) {
	var found string
	err = h.consumerKeys().each(ctx, key, func(kv store.KV) bool {
		if kv.Key != h.key(at) {
			found = strings.TrimPrefix(kv.Key, h.dir("consumers"))
		}
		return found == ""
	})
	return found, err
}
