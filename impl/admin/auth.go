package admin

import (
	"crypto/subtle"
	"net/http"
	"net/netip"
	"slices"
)

// A Role says what a key may do. The zero value may only read.
type Role uint8

// Roles of keys.
const (
	Viewer Role = iota
	Admin
)

// A Key lets its holder use the Admin API.
type Key struct {
	Secret string
	Role   Role
	// Name is what the history calls its holder; it is no secret.
	Name string
}

// allowed tells whether a client at that address may ask.
func (h *Handler) allowed(remote string) bool {
	if len(h.allow) == 0 {
		return true
	}
	at, err := netip.ParseAddrPort(remote)
	return err == nil && slices.ContainsFunc(h.allow, func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) })
}

// authorize checks the key of a request: query api_key, header X-API-KEY or
// cookie x_api_key, in this order.
func (h *Handler) authorize(r *http.Request) (Key, *failure) {
	if len(h.keys) == 0 {
		return Key{Role: Admin, Name: "anybody"}, nil
	}
	token := arguments(r).Get("api_key")
	if token == "" {
		token = r.Header.Get("X-API-KEY")
	}
	if token == "" {
		if c, err := r.Cookie("x_api_key"); err == nil {
			token = c.Value
		}
	}
	if token == "" {
		return Key{}, unauthorized("missing apikey")
	}
	for _, k := range h.keys {
		if subtle.ConstantTimeCompare([]byte(k.Secret), []byte(token)) != 1 {
			continue
		}
		if k.Role != Admin && r.Method != http.MethodGet {
			return Key{}, unauthorized("invalid method for role viewer")
		}
		return k, nil
	}
	return Key{}, unauthorized("wrong apikey")
}

func unauthorized(description string) *failure {
	return &failure{code: http.StatusUnauthorized, body: map[string]string{
		"error_msg": "failed to check token", "description": description,
	}}
}
