package tls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"slices"
	"sync"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// A target is backend 0 with TLS.
type target struct {
	mu     sync.Mutex
	hellos []string // the names that it was asked for, "" for none
}

// secured puts TLS on backend 0, with a certificate that no gateway has a reason to
// trust. demands are authorities of which one must have signed the certificate that
// is shown; nil: none need be shown.
func secured(t *spec.T, demands ...*authority) *target {
	s, own := &target{}, newAuthority(t, "inner").issue("inner.example").TLS
	c := &tls.Config{Certificates: []tls.Certificate{own}, GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hellos = append(s.hellos, h.ServerName)
		return nil, nil // the handshake goes on
	}}
	for _, a := range demands {
		if c.ClientCAs == nil {
			c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		}
		c.ClientCAs.AddCert(a.Cert)
	}
	t.Backend(0).Server.SetTLS(c)
	return s
}

// heard are the names of the handshakes since it was called last.
func (s *target) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := s.hellos
	s.hellos = nil
	return slices.Compact(names)
}

// secureRoute writes a route of a host to backend 0 by TLS, with more members of the
// upstream.
func secureRoute(ctx context.Context, t *spec.T, name, host string, members object) {
	up := object{"type": "roundrobin", "nodes": object{t.Backend(0).Addr.String(): 1}, "scheme": "https"}
	for k, v := range members {
		up[k] = v
	}
	b, err := json.Marshal(object{"host": host, "uri": "/*", "upstream": up})
	if err != nil {
		t.Brokenf("encode routes/%s: %v", name, err)
	}
	t.Put(ctx, "routes/"+t.Name(name), string(b))
}

// get asks for a host without TLS.
func get(ctx context.Context, t *spec.T, gw spec.Gateway, host string) traffic.Result {
	return ask.Session(t, gw.Data, traffic.Options{}).Do(ctx, traffic.Request{Host: host})
}

// arrives checks that a request for a host reaches the target.
func arrives(ctx context.Context, t *spec.T, gw spec.Gateway, host, why string) traffic.Result {
	r := get(ctx, t, gw, host)
	t.Check(r.Backend() == t.Backend(0).Ref && r.Reply.Status == http.StatusOK, "%s: %s: got %s, want 200 from %s (op %s)", gw.Ref, why, ask.Said(r), t.Backend(0).Ref, r.Op.ID)
	return r
}

// stays checks that a request for a host does not.
func stays(ctx context.Context, t *spec.T, gw spec.Gateway, host, why string) {
	r := get(ctx, t, gw, host)
	t.Check(r.Reply != nil && !r.Reply.FromBackend() && r.Reply.Status == http.StatusBadGateway, "%s: %s: got %s, want the gateway's 502 (op %s)", gw.Ref, why, ask.Said(r), r.Op.ID)
}
