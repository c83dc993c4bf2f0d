package admin

import (
	"strings"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// A resource is one kind of object: how the Admin API calls it, what makes it
// valid and what it relies on.
type resource struct {
	dir   string // in the path and in etcd; credentials are below their consumers
	kind  string // in messages
	named string // of its schema
	// without are the methods that the kind does not have.
	without []string
	check   func(*apisix.Object, address) error
	// plugins says whose plugins such an object holds.
	plugins plugin.Kind
	// unstamped objects hold no times, unnumbered ones no id.
	unstamped, unnumbered bool
	refs                  []reference
	// keys says where such an object holds private keys, which are stored sealed.
	keys apisix.Place
	// hidden are members that no answer holds.
	hidden []string
	// users finds who still needs an object of this kind, before it is deleted.
	users []user
	// deleteRefused begins the message when somebody does.
	deleteRefused string
}

// An address is where objects of a kind are, or one of them.
type address struct {
	res *resource
	// within is what is between the kind's directory and the id, with a slash at
	// its end: vault/ of secrets, jack/credentials/ of credentials, else nothing.
	within string
	id     string // "" when there is none
}

// tail is what follows the kind's directory in the object's key.
func (p address) tail() string { return p.within + p.id }

// plainly is the check of a kind that does not look at the address.
func plainly(check func(*apisix.Object) error) func(*apisix.Object, address) error {
	return func(obj *apisix.Object, _ address) error { return check(obj) }
}

// A reference is a field that holds the id of another object.
type reference struct {
	field string // members below each other are separated by dots
	dir   string
	// missing is the message when the other object does not exist; %s is its id.
	missing string
	// fits says in whole what is wrong with the other object; "": nothing, nil:
	// nothing can be.
	fits func(own, other map[string]any, id string) (wrong string)
}

// A user is a kind of object that may hold a reference to the one to delete.
type user struct {
	dir  string
	kind string // in messages
	// ids are those that such an object refers to.
	ids func(tree map[string]any) []string
	// plugin is set when the reference is in a plugin's configuration.
	plugin bool
	// as ends the message; "" means "now".
	as string
}

func byField(field string) func(map[string]any) []string {
	return func(tree map[string]any) []string { return idsOf(nil, valueAt(tree, field)) }
}

// byPlugin looks for the id in a member of a plugin's configuration.
func byPlugin(name, field string) func(map[string]any) []string {
	return func(tree map[string]any) []string {
		plugins, _ := tree["plugins"].(map[string]any)
		conf, _ := plugins[name].(map[string]any)
		return idsOf(nil, conf[field])
	}
}

func idsOf(ids []string, v any) []string {
	if id := apisix.IDText(v); id != "" {
		ids = append(ids, id)
	}
	return ids
}

// valueAt returns the value at a path of members, nil when there is none.
func valueAt(tree map[string]any, path string) any {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return tree[name]
	}
	below, _ := tree[name].(map[string]any)
	return valueAt(below, rest)
}

// bySplit looks for upstreams in the rules of the plugin traffic-split.
func bySplit(tree map[string]any) []string {
	plugins, _ := tree["plugins"].(map[string]any)
	split, _ := plugins["traffic-split"].(map[string]any)
	rules, _ := split["rules"].([]any)
	var ids []string
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		targets, _ := rule["weighted_upstreams"].([]any)
		for _, t := range targets {
			target, _ := t.(map[string]any)
			ids = idsOf(ids, target["upstream_id"])
		}
	}
	return ids
}

func (h *Handler) dir(name string) string { return h.prefix + "/" + name + "/" }

func (h *Handler) key(p address) string { return h.dir(p.res.dir) + p.tail() }
