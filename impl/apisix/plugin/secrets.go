package plugin

import (
	"maps"
	"slices"

	"github.com/unilb/unilb/impl/apisix"
)

// Secrets returns the members of an object that its plugins keep sealed, as
// Keyring.SealMembers takes them; nil: there are none. k is the kind of object.
func Secrets(tree map[string]any, k Kind) [][]string {
	switch k {
	case None:
		return nil
	case Metadata:
		p, ok := catalogue().byName[apisix.IDText(tree["id"])]
		if !ok {
			return nil
		}
		return p.sealed[Metadata]
	}
	var out [][]string
	plugins := object(tree, "plugins")
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		p, ok := catalogue().byName[name]
		if !ok {
			continue
		}
		for _, path := range p.sealed[p.layout(k)] {
			out = append(out, append([]string{"plugins", name}, path...))
		}
	}
	return out
}
