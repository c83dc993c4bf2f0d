package apisix

import (
	"encoding/json"

	"github.com/unilb/unilb/impl/apisix/jsontree"
)

// A Route says which requests it matches and where they go. Exactly one of URI
// and URIs is set, at most one of Host and Hosts and one of RemoteAddr and
// RemoteAddrs.
type Route struct {
	ID          string
	Name, Desc  string
	Labels      Labels
	URI         string
	URIs        []string
	Host        string
	Hosts       []string
	Methods     []string // nil: any
	RemoteAddr  string   // address or CIDR
	RemoteAddrs []string
	Vars        json.RawMessage // array, nil when absent
	FilterFunc  string          // Lua source; stored for APISIX, cannot be run
	Script      string          // Lua source; stored for APISIX, cannot be run
	ScriptID    string
	Priority    int64

	ServiceID, UpstreamID, PluginConfigID string

	Upstream        *Upstream // inline; plugins stay in the object
	Timeout         *Timeout  // replaces the upstream's
	Status          *int      // 0: not routed; nil: 1
	EnableWebsocket *bool

	CreateTime, UpdateTime int64 // unix seconds; 0 when absent
}

// Paths returns the route's paths, whichever of the two fields they are in.
func (r *Route) Paths() []string {
	if r.URI != "" {
		return []string{r.URI}
	}
	return r.URIs
}

// HostNames returns the route's own hosts, whichever of the two fields they are
// in; nil means that the service's hosts count.
func (r *Route) HostNames() []string {
	if r.Host != "" {
		return []string{r.Host}
	}
	return r.Hosts
}

// Sources returns the client addresses that the route is limited to, whichever
// of the two fields they are in; nil means any.
func (r *Route) Sources() []string {
	if r.RemoteAddr != "" {
		return []string{r.RemoteAddr}
	}
	return r.RemoteAddrs
}

// Enabled reports whether the route takes part in routing.
func (r *Route) Enabled() bool { return r.Status == nil || *r.Status != 0 }

// DecodeRoute reads the value of a route. The id is the last segment of its key
// and wins over the id inside. The value is validated as the Admin API does and
// the error has the Admin API's text; defaults are filled in. What comes of it keeps b,
// which must not be changed any more.
func DecodeRoute(id string, b []byte) (*Route, error) {
	o, err := Parse(b)
	if err != nil {
		return nil, err
	}
	return o.Route(id)
}

// Route is DecodeRoute for an object.
func (o *Object) Route(id string) (*Route, error) {
	if err := o.CheckRoute(); err != nil {
		return nil, err
	}
	t := o.tree
	r := &Route{
		ID: id, Name: str(t, "name", ""), Desc: str(t, "desc", ""), Labels: labels(t),
		URI: str(t, "uri", ""), URIs: strs(t, "uris"),
		Host: str(t, "host", ""), Hosts: strs(t, "hosts"),
		Methods: strs(t, "methods"), RemoteAddr: str(t, "remote_addr", ""), RemoteAddrs: strs(t, "remote_addrs"),
		Vars: o.array("vars"), FilterFunc: str(t, "filter_func", ""), Script: str(t, "script", ""),
		ScriptID: idOf(t, "script_id"), Priority: integer(t, "priority", 0),
		ServiceID: idOf(t, "service_id"), UpstreamID: idOf(t, "upstream_id"), PluginConfigID: idOf(t, "plugin_config_id"),
		Timeout: timeout(t, "timeout"),
		Status:  optInt(t, "status"), EnableWebsocket: optBool(t, "enable_websocket"),
		CreateTime: integer(t, "create_time", 0), UpdateTime: integer(t, "update_time", 0),
	}
	var err error
	r.Upstream, err = o.inline()
	if err != nil {
		return nil, err
	}
	return r, nil
}

// inline returns the upstream within a validated route or service; nil: there is none.
func (o *Object) inline() (*Upstream, error) {
	up, ok := o.tree["upstream"].(map[string]any)
	if !ok {
		return nil, nil
	}
	return upstreamOf("", up, jsontree.Member(textOf(o.raw), "upstream"))
}
