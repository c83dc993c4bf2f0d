package admin

import (
	"strings"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// A resource is one kind of object: how the Admin API calls it, what makes it
// valid and what it relies on.
type resource struct {
	dir   string // in the path and in etcd
	kind  string // in messages
	check func(*apisix.Object) error
	refs  []reference
	// keys says where such an object holds private keys, which are stored sealed.
	keys apisix.Place
	// plugins says whose plugins such an object holds.
	plugins plugin.Kind
	// hidden are members that no answer holds.
	hidden []string
	// users finds who still needs an object of this kind, before it is deleted.
	users []user
	// deleteRefused begins the message when somebody does.
	deleteRefused string
}

// A reference is a field that holds the id of another object.
type reference struct {
	field string // members below each other are separated by dots
	dir   string
	what  string // in messages
	// fits says what is wrong with the other object; nil: nothing can be.
	fits func(tree map[string]any) (wrong string)
}

// A user is a kind of object that may hold a reference to the one to delete.
type user struct {
	dir  string
	kind string // in messages
	uses func(tree map[string]any, id string) bool
	// plugin is set when the reference is in a plugin's configuration.
	plugin bool
}

var (
	refUpstream = reference{"upstream_id", "upstreams", "upstream", nil}
	refService  = reference{"service_id", "services", "service", nil}
	refConfig   = reference{"plugin_config_id", "plugin_configs", "plugin config", nil}
	refCert     = reference{"tls.client_cert_id", "ssls", "ssl", isClientCert}
	refInline   = reference{"upstream.tls.client_cert_id", "ssls", "ssl", isClientCert}
)

// resources is a constant table. Objects of kinds that are not served here may
// be in etcd all the same, written by APISIX, and count as users.
var resources = map[string]*resource{
	"routes": {
		dir: "routes", kind: "route", check: (*apisix.Object).CheckRoute,
		refs: []reference{refUpstream, refService, refConfig, refInline},
		keys: apisix.InlineKeys, plugins: plugin.Route,
	},
	"services": {
		dir: "services", kind: "service", check: (*apisix.Object).CheckService,
		refs:          []reference{refUpstream, refInline},
		keys:          apisix.InlineKeys,
		plugins:       plugin.Route,
		deleteRefused: "can not delete this service directly",
		users: []user{
			{dir: "routes", kind: "route", uses: byField("service_id")},
			{dir: "stream_routes", kind: "stream_route", uses: byField("service_id")},
		},
	},
	"upstreams": {
		dir: "upstreams", kind: "upstream", check: (*apisix.Object).CheckUpstream,
		refs:          []reference{refCert},
		keys:          apisix.UpstreamKeys,
		deleteRefused: "can not delete this upstream",
		users: []user{
			{dir: "routes", kind: "route", uses: byField("upstream_id")},
			{dir: "services", kind: "service", uses: byField("upstream_id")},
			{dir: "stream_routes", kind: "stream_route", uses: byField("upstream_id")},
			{dir: "routes", kind: "route", uses: bySplit, plugin: true},
			{dir: "services", kind: "service", uses: bySplit, plugin: true},
			{dir: "plugin_configs", kind: "plugin_config", uses: bySplit, plugin: true},
			{dir: "consumers", kind: "consumer", uses: bySplit, plugin: true},
			{dir: "consumer_groups", kind: "consumer_group", uses: bySplit, plugin: true},
			{dir: "global_rules", kind: "global_rules", uses: bySplit, plugin: true},
		},
	},
	"ssls": {
		dir: "ssls", kind: "ssl", check: (*apisix.Object).CheckSSL,
		keys:   apisix.SSLKeys,
		hidden: []string{"key", "keys"},
	},
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

// isClientCert tells a certificate that upstreams are shown from one that clients
// are shown.
func isClientCert(tree map[string]any) string {
	if tree["type"] != "client" {
		return "wrong ssl type"
	}
	return ""
}

func byField(field string) func(map[string]any, string) bool {
	return func(tree map[string]any, id string) bool { return apisix.IDText(tree[field]) == id }
}

// bySplit looks for the upstream in the rules of the plugin traffic-split.
func bySplit(tree map[string]any, id string) bool {
	plugins, _ := tree["plugins"].(map[string]any)
	split, _ := plugins["traffic-split"].(map[string]any)
	rules, _ := split["rules"].([]any)
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		targets, _ := rule["weighted_upstreams"].([]any)
		for _, t := range targets {
			target, _ := t.(map[string]any)
			if apisix.IDText(target["upstream_id"]) == id {
				return true
			}
		}
	}
	return false
}

func (h *Handler) dir(name string) string { return h.prefix + "/" + name + "/" }

func (h *Handler) key(res *resource, id string) string { return h.dir(res.dir) + id }
