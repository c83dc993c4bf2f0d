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
	// heirs are the routes that have no hosts of their own, by the service
	// they would take them from.
	heirs hamt.Map[string, hamt.Map[string, struct{}]]
	// gapped is the number of routes, services and global rules that have gaps of
	// their own.
	gapped int
	// globals are the gaps of the global rules, guards their guards together.
	globals hamt.Map[string, Gaps]
	guards  []string
}

// Empty returns a snapshot without objects that opens private keys with a keyring.
func Empty(k *apisix.Keyring) *Snapshot { return &Snapshot{keyring: k} }

// Match returns the route for a query, or nil.
func (s *Snapshot) Match(q *route.Query) *Route {
	if r := s.table.Match(q); r != nil {
		return r.Value
	}
	return nil
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

	GlobalRules int `json:"global_rules"`
}

// Counts returns the numbers of objects.
func (s *Snapshot) Counts() Counts {
	return Counts{s.routes.Len(), s.services.Len(), s.upstreams.Len(), s.ssls.Len(), s.listeners.Len(), s.globals.Len()}
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
