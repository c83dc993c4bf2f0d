package config

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
)

// Kind is a directory of objects.
type Kind uint8

// The kinds of objects.
const (
	// Other kinds are none of the gateway's business; they are ignored.
	Other          Kind = iota
	Routes              // routes of APISIX
	Services            // services of APISIX
	Upstreams           // upstreams of APISIX
	SSLs                // ssls of APISIX: certificates
	Listeners           // our own: addresses and ports to serve
	GlobalRules         // global_rules of APISIX
	PluginConfigs       // plugin_configs of APISIX
	ConsumerGroups      // consumer_groups of APISIX
	Consumers           // consumers of APISIX
	Credentials         // of consumers, in whose directory they are: the id is jack/credentials/1
	PluginMetadata      // plugin_metadata of APISIX, by name of the plugin

	kinds = iota
)

// directories are where APISIX keeps its kinds, below its prefix.
var directories = map[string]Kind{
	"routes": Routes, "services": Services, "upstreams": Upstreams, "ssls": SSLs, "global_rules": GlobalRules,
	"plugin_configs": PluginConfigs, "consumer_groups": ConsumerGroups, "consumers": Consumers,
	"plugin_metadata": PluginMetadata,
}

var names = func() map[Kind]string {
	m := map[Kind]string{Credentials: "consumers"}
	for dir, k := range directories {
		m[k] = dir
	}
	return m
}()

// Directory is where APISIX keeps the objects of the kind, such as "routes"; empty for
// kinds that it does not have. Credentials are among consumers.
func (k Kind) Directory() string { return names[k] }

// Kinds yields all kinds but Other.
func Kinds() iter.Seq[Kind] {
	return func(yield func(Kind) bool) {
		for k := Routes; k < kinds; k++ {
			if !yield(k) {
				return
			}
		}
	}
}

// Directories are those of all kinds that APISIX has, in no particular order.
func Directories() []string { return slices.Collect(maps.Keys(directories)) }

// Locate finds the kind and the id of an object of APISIX by what follows the prefix in
// its key, such as routes/1. Names of directories, which end in a slash, are of kind
// Other.
func Locate(rest string) (kind Kind, id string) {
	dir, id, _ := strings.Cut(rest, "/")
	kind = directories[dir]
	if kind == Consumers {
		if username, credential, ok := apisix.SplitCredential(id); ok && username != "" && credential != "" && !strings.Contains(credential, "/") {
			return Credentials, id
		}
	}
	if kind == Other || id == "" || strings.Contains(id, "/") {
		return Other, ""
	}
	return kind, id
}
