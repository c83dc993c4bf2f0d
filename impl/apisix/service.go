package apisix

// A Service is what several routes share: what a route does not say itself
// comes from its service.
type Service struct {
	ID         string
	Name, Desc string
	Labels     Labels
	Hosts      []string

	Upstream        *Upstream // inline; plugins stay in the object
	UpstreamID      string
	Script          string // Lua source; stored for APISIX, cannot be run
	EnableWebsocket *bool

	CreateTime, UpdateTime int64 // unix seconds; 0 when absent
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
		ID: id, Name: str(t, "name", ""), Desc: str(t, "desc", ""), Labels: labels(t),
		Hosts: strs(t, "hosts"), UpstreamID: idOf(t, "upstream_id"),
		Script: str(t, "script", ""), EnableWebsocket: optBool(t, "enable_websocket"),
		CreateTime: integer(t, "create_time", 0), UpdateTime: integer(t, "update_time", 0),
	}
	var err error
	s.Upstream, err = o.inline()
	if err != nil {
		return nil, err
	}
	return s, nil
}
