package apisix

import "encoding/json"

// A Route says which requests it matches and where they go. What may be written in two
// ways is in one place here, and what only people read is not here.
type Route struct {
	ID          string
	URIs        []string // uri or uris
	Hosts       []string // host or hosts; nil: the service's hosts count
	Methods     []string // nil: any
	RemoteAddrs []string // remote_addr or remote_addrs, addresses and CIDRs; nil: any
	// Lua is the member that asks for a program in Lua, which is stored for APISIX and
	// cannot be run: filter_func or script; empty: none.
	Lua      string
	Priority int64

	ServiceID, UpstreamID, PluginConfigID string

	Upstream        *Upstream // inline; plugins stay in the object
	Timeout         *Timeout  // replaces the upstream's
	Status          *int      // 0: not routed; nil: 1
	EnableWebsocket *bool
}

// Paths returns the route's paths.
func (r *Route) Paths() []string { return r.URIs }

// HostNames returns the route's own hosts; nil means that the service's hosts count.
func (r *Route) HostNames() []string { return r.Hosts }

// Sources returns the client addresses that the route is limited to; nil means any.
func (r *Route) Sources() []string { return r.RemoteAddrs }

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
		ID:   id,
		URIs: oneOrMore(t, "uri", "uris"), Hosts: oneOrMore(t, "host", "hosts"), RemoteAddrs: oneOrMore(t, "remote_addr", "remote_addrs"),
		Methods: strs(t, "methods"), Priority: integer(t, "priority", 0),
		ServiceID: idOf(t, "service_id"), UpstreamID: idOf(t, "upstream_id"), PluginConfigID: idOf(t, "plugin_config_id"),
		Timeout: timeout(t, "timeout"),
		Status:  optInt(t, "status"), EnableWebsocket: optBool(t, "enable_websocket"),
	}
	switch {
	case t["filter_func"] != nil:
		r.Lua = "filter_func"
	case t["script"] != nil || t["script_id"] != nil:
		r.Lua = "script"
	}
	var err error
	r.Upstream, err = o.inline()
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Vars are the conditions of a validated route as they were written, an empty table of Lua
// as a list; nil when there are none.
func (o *Object) Vars() json.RawMessage { return o.array("vars") }

// inline returns the upstream within a validated route or service; nil: there is none.
func (o *Object) inline() (*Upstream, error) {
	up, ok := o.tree["upstream"].(map[string]any)
	if !ok {
		return nil, nil
	}
	return upstreamOf("", up, o.text("upstream"))
}
