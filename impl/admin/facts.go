package admin

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/unilb/unilb/impl/apisix/plugin"
)

// A fact is something that an object says and others are asked for, by what they want to
// do: whether anybody else says it.
type fact struct {
	what  string // a reference, or what only one object can have, or all must say alike
	place int    // of a reference: in the list of users of the kind that it refers to
	value string
	as    string // of what all must say alike: what is said of it
}

// What facts there are, beside the names of authentication plugins, whose value is a key
// that one consumer can have.
const (
	aReference = "reference" // to the object with this key in etcd
	aGroup     = "group"     // of limit-count
)

// limitedKinds are those whose plugins run, so that they can be in a group of limit-count.
var limitedKinds = []string{"routes", "services", "plugin_configs", "consumers", "consumer_groups", "global_rules"}

// factsOf are the facts of an object as etcd has it; there are none in what is no object.
func (h *Handler) factsOf(key string, value []byte) []fact {
	dir, _, _ := strings.Cut(strings.TrimPrefix(key, h.prefix+"/"), "/")
	if dir != "consumers" && !mayHaveFacts(value) {
		return nil
	}
	tree, ok := isObject(value)
	if !ok {
		return nil
	}
	if res := resources[dir]; plugin.Secrets(tree, res.plugins) != nil {
		if plain, err := h.opened(res, value); err == nil {
			tree, _ = isObject(plain)
		}
	}
	facts := h.mentions(dir, tree)
	if dir == "consumers" {
		for _, k := range keysOf(tree) {
			facts = append(facts, k.fact())
		}
	}
	if group, says := limitGroup(tree); group != "" && slices.Contains(limitedKinds, dir) {
		facts = append(facts, fact{what: aGroup, value: group, as: says})
	}
	return facts
}

// mayHaveFacts tells whether it is worth decoding an object that is no consumer: every
// member that refers to another ends in _id.
func mayHaveFacts(value []byte) bool {
	return bytes.Contains(value, []byte(`_id"`)) || bytes.Contains(value, []byte(`"limit-count"`)) || bytes.IndexByte(value, '\\') >= 0
}

// against tells whether one object may not say f because another one says this: the same
// or, of what all must say alike, something else.
func (f fact) against(other fact) bool {
	return f.about() == other.about() && (f.as == "" || f.as != other.as)
}

// about is f without what is said.
func (f fact) about() fact {
	f.as = ""
	return f
}

// referenceTo is the fact that an object refers to another, at a place in the list of
// users of the other's kind.
func referenceTo(key string, place int) fact { return fact{what: aReference, place: place, value: key} }

// mentions are the references in an object of a directory that are looked for when
// something is deleted.
func (h *Handler) mentions(dir string, tree map[string]any) []fact {
	var out []fact
	for _, name := range referred() {
		res := resources[name]
		for n, u := range res.users {
			if u.dir != dir {
				continue
			}
			for _, id := range u.ids(tree) {
				if f := referenceTo(h.dir(res.dir)+id, n); !slices.Contains(out, f) {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

// referred are the kinds that others refer to, in order.
var referred = sync.OnceValue(func() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(resources)), func(name string) bool { return len(resources[name].users) == 0 })
})
