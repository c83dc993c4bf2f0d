package plugin

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"sync"

	"github.com/unilb/unilb/impl/apisix/schema"
)

// A Plugin is one entry of the catalogue.
type Plugin struct {
	Name    string
	Version float64
	// Priority says when it runs: higher ones run first.
	Priority int
	// Type is "auth" for a plugin that finds out which consumer asks; else empty.
	Type string
	// Scope is "global" for a plugin that serves no particular route; else empty.
	Scope string
	// HTTP and Stream say in which subsystems it exists.
	HTTP, Stream bool
	// Default and DefaultStream: a data plane of APISIX loads it in that subsystem
	// when its configuration says nothing.
	Default, DefaultStream bool
	// Guards: it keeps requests away (authentication, restrictions, limits,
	// validation, csrf, or code of the user's, which may do any of these). Who
	// cannot run it must not serve what it guards.
	Guards bool

	// Schema is that of the configuration in routes, services and so on, with
	// the member _meta that every plugin has; ConsumerSchema that in consumers and
	// credentials, MetadataSchema that of its plugin_metadata. They are complete JSON
	// Schemas; nil: there is none.
	Schema, ConsumerSchema, MetadataSchema json.RawMessage

	checks [kinds]func() *schema.Schema // nil: any object
	sealed [kinds][][]string
	extra  func(conf map[string]any, k Kind) error
}

// Kind says what kind of object holds a configuration.
type Kind uint8

// The kinds.
const (
	None     Kind = iota // holds none
	Route                // routes, services, plugin_configs, consumer_groups, global_rules, stream_routes
	Consumer             // consumers and their credentials
	Metadata             // plugin_metadata: the object is the configuration

	kinds = 4
)

// Lookup finds a plugin for HTTP.
func Lookup(name string) (*Plugin, bool) {
	p, ok := catalogue().byName[name]
	if !ok && someAI.MatchString(name) {
		return catalogue().someAI, true
	}
	return p, ok && p.HTTP
}

// someAI is what plugins are called that APISIX 3.18 has between priorities 1073 and
// 1028 and that the table does not name: these change with every release.
var someAI = regexp.MustCompile(`^ai-[a-z0-9]+(-[a-z0-9]+)*$`)

// LookupStream finds a plugin for streams.
func LookupStream(name string) (*Plugin, bool) {
	p, ok := catalogue().byName[name]
	return p, ok && p.Stream
}

// All returns the plugins for HTTP, those that run first at the beginning.
func All() []*Plugin { return catalogue().http }

// AllStream is All for streams.
func AllStream() []*Plugin { return catalogue().stream }

type index struct {
	byName       map[string]*Plugin
	http, stream []*Plugin
	someAI       *Plugin // stands for all that it may be: it takes any object, and may guard
}

var (
	once  sync.Once
	built index
)

// catalogue is built at first use. It panics on a broken document, which a test
// would have found.
func catalogue() *index {
	once.Do(func() { built = build() })
	return &built
}

func build() index {
	ix := index{byName: make(map[string]*Plugin, len(table)), someAI: entry{"ai-*", 1028, guard | spare}.plugin()}
	for _, e := range table {
		p := e.plugin()
		ix.byName[p.Name] = p
		if p.HTTP {
			ix.http = append(ix.http, p)
		}
		if p.Stream {
			ix.stream = append(ix.stream, p)
		}
	}
	for _, list := range [][]*Plugin{ix.http, ix.stream} {
		slices.SortStableFunc(list, func(a, b *Plugin) int { return cmp.Compare(b.Priority, a.Priority) })
	}
	return ix
}

// layout is the kind whose schema counts: a plugin without one for consumers has
// the same configuration there as in routes.
func (p *Plugin) layout(k Kind) Kind {
	if k == Consumer && p.ConsumerSchema == nil {
		return Route
	}
	return k
}
