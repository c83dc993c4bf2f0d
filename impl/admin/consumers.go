package admin

import (
	"maps"
	"slices"
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

func (k consumerKey) fact() fact { return fact{what: k.plugin, value: k.value} }
