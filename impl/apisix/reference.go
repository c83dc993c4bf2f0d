package apisix

import (
	"slices"
	"strings"
)

// isReference tells a value that is to be fetched from elsewhere: it is stored as
// it is.
func isReference(s string) bool {
	return strings.HasPrefix(s, "$secret://") || strings.HasPrefix(s, "$env://") || strings.HasPrefix(s, "$ENV://")
}

// pems are where the objects of a kind hold certificates and private keys, each of
// which may be a reference instead.
func (p Place) pems() [][]string {
	switch p {
	case SSLKeys:
		return [][]string{{"cert"}, {"key"}, {"certs"}, {"keys"}, {"client", "ca"}}
	case UpstreamKeys:
		return [][]string{{"tls", "client_cert"}, {"tls", "client_key"}}
	case InlineKeys:
		return [][]string{{"upstream", "tls", "client_cert"}, {"upstream", "tls", "client_key"}}
	}
	return nil
}

// References returns the references that stand in an object for certificates and
// private keys, sorted, each once.
func (o *Object) References(p Place) []string {
	var found []string
	for _, path := range p.pems() {
		collect(o.tree, path, &found)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func collect(v any, path []string, found *[]string) {
	switch t := v.(type) {
	case map[string]any:
		if len(path) > 0 {
			collect(t[path[0]], path[1:], found)
		}
	case []any:
		for _, item := range t {
			collect(item, path, found)
		}
	case string:
		if len(path) == 0 && isReference(t) {
			*found = append(*found, t)
		}
	}
}

// Filled returns the object with the values of its references in their places. One
// that has no value stays.
func (o *Object) Filled(p Place, values map[string]string) (*Object, error) {
	return o.mapped(p.pems(), func(s string) string {
		if v, ok := values[s]; ok && isReference(s) {
			return v
		}
		return s
	})
}
