package tls

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
	"github.com/unilb/unilb/sim/traffic"
)

// A vault is HashiCorp Vault's HTTP API, played on listener 0: the key-value engines kv,
// of version 1, and secret, of version 2.
type vault struct {
	url, token string

	mu      sync.Mutex
	secrets map[string]object // by namespace and path: "team/secret/data/shop"
	sealed  bool
}

// newVault plays one until the case ends.
func newVault(t *spec.T) *vault {
	v := &vault{url: "http://" + t.Played(0).Backend.Addr.String(), token: "hvs." + t.ID(), secrets: map[string]object{}}
	srv := &http.Server{Handler: v, ReadHeaderTimeout: traffic.DefaultTimeout}
	go func() { _ = srv.Serve(t.Played(0).Listener) }() // ends with Close below
	t.Cleanup(func(context.Context) error { return srv.Close() })
	return v
}

// managed writes secrets/vault/NAME for it; more is the rest of the object.
func (v *vault) managed(ctx context.Context, t *spec.T, name, prefix, more string) {
	t.Put(ctx, "secrets/vault/"+t.Name(name), fmt.Sprintf(`{"uri":%q,"prefix":%q,"token":%q%s}`, v.url, prefix, v.token, more))
}

// keeps has a secret hold a pair.
func (v *vault) keeps(at string, p pki.Pair) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.secrets[at] = object{"cert": p.Cert, "key": p.Key}
}

// seal has it answer nobody, or everybody again.
func (v *vault) seal(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sealed = on
}

// ServeHTTP answers as Vault does.
func (v *vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, isAPI := strings.CutPrefix(r.URL.Path, "/v1/")
	v.mu.Lock()
	at := strings.TrimPrefix(r.Header.Get("X-Vault-Namespace")+"/"+path, "/")
	secret, sealed := v.secrets[at], v.sealed
	v.mu.Unlock()
	status := http.StatusOK
	switch {
	case sealed:
		status = http.StatusServiceUnavailable
	case r.Header.Get("X-Vault-Token") != v.token:
		status = http.StatusForbidden
	case !isAPI || secret == nil:
		status = http.StatusNotFound
	}
	body := object{"errors": []string{}}
	if status == http.StatusOK {
		if strings.HasPrefix(path, "secret/data/") {
			secret = object{"data": secret, "metadata": object{"version": 1, "destroyed": false}}
		}
		body = object{"lease_id": "", "renewable": false, "lease_duration": 0, "data": secret}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who asks sees what is missing
}

// kept is a certificate for the names of which cert and key stand elsewhere.
func kept(cert, key string, names ...string) object {
	return object{"cert": cert, "key": key, "snis": names}
}

// ofVault are references to the members of a secret.
func ofVault(t *spec.T, manager, path string, names ...string) object {
	at := "$secret://vault/" + t.Name(manager) + "/" + path
	return kept(at+"/cert", at+"/key", names...)
}

// comes waits until every gateway serves a certificate for a name.
func comes(ctx context.Context, t *spec.T, name string, p pki.Pair, why string) {
	ask.Until(ctx, t, why+": every gateway serves it", 1, func() bool {
		for _, gw := range t.Env().Gateways() {
			if v := call(ctx, t, gw, client(name), name); v.leaf() == nil || !v.leaf().Equal(p.Leaf) {
				return false
			}
		}
		return true
	})
	for _, gw := range t.Env().Gateways() {
		call(ctx, t, gw, client(name), name).served(t, p, t.Backend(0), why)
	}
}
