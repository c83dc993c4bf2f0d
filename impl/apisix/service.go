package apisix

// A Service is what several routes share: what a route does not say itself
// comes from its service.
type Service struct {
	ID    string
	Hosts []string

	Upstream        *Upstream // inline; plugins stay in the object
	UpstreamID      string
	Lua             string // as that of a Route
	EnableWebsocket *bool
}

// DecodeService reads the value of a service, as DecodeRoute does for routes.
func DecodeService(id string, b []byte) (*Service, error) {
	o, err := Parse(b)
	if err != nil {
		return nil, err
	}
	return o.Service(id)
}

// Service is DecodeService for an object.
func (o *Object) Service(id string) (*Service, error) {
	if err := o.CheckService(); err != nil {
		return nil, err
	}
	t := o.tree
	s := &Service{
		ID: id, Hosts: strs(t, "hosts"), UpstreamID: idOf(t, "upstream_id"),
		EnableWebsocket: optBool(t, "enable_websocket"),
	}
	if t["script"] != nil {
		s.Lua = "script"
	}
	var err error
	s.Upstream, err = o.inline()
	if err != nil {
		return nil, err
	}
	return s, nil
}
