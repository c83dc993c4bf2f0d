package config

import (
	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/route/hamt"
)

// Snapshot is the configuration at one moment. The zero Snapshot is empty, and
// opens no sealed keys.
type Snapshot struct {
	table     route.Table[*Route]
	routes    hamt.Map[string, *Route]
	services  hamt.Map[string, *Service]
	upstreams hamt.Map[string, *Upstream]
	listeners hamt.Map[string, *Listener]
	ssls      hamt.Map[string, *apisix.SSL]
	certs     certs.Table // of the ssls that clients are shown
	keyring   *apisix.Keyring
	blind     bool // see Blind
	// heirs are the routes that have no hosts of their own, by the service
	// they would take them from.
	heirs hamt.Map[string, heirs]
	// stored are the objects of each kind as they were written, but for routes.
	stored [kinds]hamt.Map[string, Stored]
	// Plugins of other objects than routes and services, by the ids of these.
	pluginConfigs, consumerGroups, globals hamt.Map[string, pluginSet]
	consumers                              hamt.Map[string, *consumer]
	// credentials are kept by user/credentials/id.
	credentials hamt.Map[string, pluginSet]
	// everywhere are the plugins of all global rules in the order they run, clashing
	// the names of those that more than one has.
	everywhere []PluginUse
	clashing   []string
	shut       []string // those of clashing that guard: they close every route
	// gapped is the number of routes, services, plugin configs and global rules that
	// have plugins which are not switched off.
	gapped int
	edit   hamt.Edit // of the batch that makes it; 0: it is made
}

// Empty returns a snapshot without objects that opens private keys with a keyring.
func Empty(k *apisix.Keyring) *Snapshot { return &Snapshot{keyring: k} }

// By returns a snapshot as this one, which must be empty, whose routes are matched by a
// router. Without it that is APISIX's default.
func (s *Snapshot) By(r route.Router) *Snapshot {
	next := *s
	next.table = route.New[*Route](r)
	return &next
}

// Match returns the route for a query, or nil.
func (s *Snapshot) Match(q *route.Query) *Route {
	_, r := s.table.Match(q)
	return r
}

// Route returns the route of an id, or nil.
func (s *Snapshot) Route(id string) *Route {
	r, _ := s.routes.Get(id)
	return r
}

// Counts are the numbers of objects in a snapshot.
type Counts struct {
	Routes    int `json:"routes"`
	Services  int `json:"services"`
	Upstreams int `json:"upstreams"`
	SSLs      int `json:"ssls"`
	Listeners int `json:"listeners"`

	GlobalRules    int `json:"global_rules"`
	PluginConfigs  int `json:"plugin_configs"`
	ConsumerGroups int `json:"consumer_groups"`
	Consumers      int `json:"consumers"`
	Credentials    int `json:"credentials"`
}

// Counts returns the numbers of objects.
func (s *Snapshot) Counts() Counts {
	return Counts{
		Routes: s.routes.Len(), Services: s.services.Len(), Upstreams: s.upstreams.Len(), SSLs: s.ssls.Len(), Listeners: s.listeners.Len(),
		GlobalRules: s.globals.Len(), PluginConfigs: s.pluginConfigs.Len(), ConsumerGroups: s.consumerGroups.Len(),
		Consumers: s.consumers.Len(), Credentials: s.credentials.Len(),
	}
}

// Certificates returns what clients are served over TLS. It must not be changed.
func (s *Snapshot) Certificates() *certs.Table { return &s.certs }

// Listeners returns the listeners in no particular order.
func (s *Snapshot) Listeners() []*Listener {
	out := make([]*Listener, 0, s.listeners.Len())
	for _, l := range s.listeners.All() {
		out = append(out, l)
	}
	return out
}
