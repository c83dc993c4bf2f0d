package apisix

import "encoding/json"

// A Service is what several routes share: what a route does not say itself
// comes from its service.
type Service struct {
	ID         string
	Name, Desc string
	Labels     map[string]string
	Hosts      []string

	Upstream        *Upstream // inline
	UpstreamID      string
	Plugins         map[string]json.RawMessage
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
	if err := o.CheckService(); err != nil {
		return nil, err
	}
	t := o.tree
	s := &Service{
		ID: id, Name: str(t, "name", ""), Desc: str(t, "desc", ""), Labels: strMap(t, "labels"),
		Hosts: strs(t, "hosts"), UpstreamID: idOf(t, "upstream_id"), Plugins: rawMap(t, "plugins"),
		Script: str(t, "script", ""), EnableWebsocket: optBool(t, "enable_websocket"),
		CreateTime: integer(t, "create_time", 0), UpdateTime: integer(t, "update_time", 0),
	}
	if up, ok := t["upstream"].(map[string]any); ok {
		raw, err := o.member("upstream")
		if err != nil {
			return nil, err
		}
		if s.Upstream, err = upstreamOf("", up, raw); err != nil {
			return nil, err
		}
	}
	return s, nil
}
