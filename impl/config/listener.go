package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
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
		Port     int64      `json:"port"`
		Protocol string     `json:"protocol"`
	}
	if err := json.Unmarshal(value, &v); err != nil {
		var odd *json.UnmarshalTypeError
		if errors.As(err, &odd) && odd.Field != "" {
			return nil, fmt.Errorf("listener %s: %s may not be a %s", id, odd.Field, odd.Value)
		}
		return nil, fmt.Errorf("listener %s: %w", id, err)
	}
	switch {
	case !v.Address.IsValid():
		return nil, fmt.Errorf("listener %s has no address", id)
	case v.Port == 0:
		return nil, fmt.Errorf("listener %s has no port", id)
	case v.Port < 0 || v.Port > math.MaxUint16:
		return nil, fmt.Errorf("listener %s: port %d is out of range, want 1 to 65535", id, v.Port)
	case v.Protocol != "http" && v.Protocol != "https":
		return nil, Unsupported("listener protocol " + v.Protocol)
	}
	return &Listener{ID: id, At: netip.AddrPortFrom(v.Address.Unmap(), uint16(v.Port)), TLS: v.Protocol == "https"}, nil
}
