package config

import (
	"encoding/json"
	"fmt"
	"net/netip"
)

// Listener is an address and port the gateway accepts connections on.
type Listener struct {
	ID  string
	At  netip.AddrPort
	TLS bool // protocol https
}

func compileListener(id string, value []byte) (*Listener, error) {
	if !json.Valid(value) {
		return nil, errNoObject
	}
	var v struct {
		Address  netip.Addr `json:"address"`
		Port     uint16     `json:"port"`
		Protocol string     `json:"protocol"`
	}
	if err := json.Unmarshal(value, &v); err != nil {
		return nil, fmt.Errorf("listener %s: %w", id, err)
	}
	switch {
	case !v.Address.IsValid():
		return nil, fmt.Errorf("listener %s has no address", id)
	case v.Port == 0:
		return nil, fmt.Errorf("listener %s has no port", id)
	case v.Protocol != "http" && v.Protocol != "https":
		return nil, Unsupported("listener protocol " + v.Protocol)
	}
	return &Listener{ID: id, At: netip.AddrPortFrom(v.Address.Unmap(), v.Port), TLS: v.Protocol == "https"}, nil
}
