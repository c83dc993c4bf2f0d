package history

import (
	"slices"
	"strings"
)

// secret are members whose value is not shown.
var secret = map[string]bool{"key": true, "keys": true, "client_key": true, "auth_header": true}

// hidden are parts of names of members whose value is not shown.
var hidden = []string{"password", "secret", "private_key", "token", "apikey", "api_key", "authorization"}

// counting are plugins whose key says what they count by.
var counting = []string{"limit-count", "limit-req", "limit-conn"}

// hides tells whether a member of an object, which is itself called of, may be a secret.
// The key of an upstream that hashes says by what, such as uri.
func hides(of string, object map[string]any, name string) bool {
	if name == "key" && (object["type"] == "chash" || slices.Contains(counting, of)) {
		return false
	}
	name = strings.ToLower(name)
	return secret[name] || slices.ContainsFunc(hidden, func(part string) bool { return strings.Contains(name, part) })
}

const mask = "(secret)"

// masked is the value of a member without what may be a secret; references to secrets
// are none.
func masked(name string, v any, hide bool) any {
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for member, v := range t {
			out[member] = masked(member, v, hides(name, t, member))
		}
		return out
	case []any:
		if hide {
			return mask
		}
		out := make([]any, len(t))
		for i, v := range t {
			out[i] = masked(name, v, false)
		}
		return out
	case string:
		if strings.HasPrefix(t, "$secret://") || strings.HasPrefix(t, "$env://") || strings.HasPrefix(t, "$ENV://") {
			return v
		}
	}
	if hide {
		return mask
	}
	return v
}
