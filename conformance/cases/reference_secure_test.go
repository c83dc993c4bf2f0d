package cases

import (
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"time"
)

// securely is how an attempt reaches its target; secure: over TLS.
func (a *attempt) securely(host string) (t http.RoundTripper, secure bool) {
	g := a.g
	if a.up["scheme"] != "https" || g.is("speaks plain to https targets") {
		return g.backends, false
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if g.is("asks targets for no name") {
		name = ""
	}
	conf, _ := a.up["tls"].(object)
	verify := conf["verify"] == true && !g.is("believes every target")
	cert, key := conf["client_cert"], conf["client_key"]
	g.mu.Lock()
	defer g.mu.Unlock()
	if id, ok := conf["client_cert_id"].(string); ok {
		if o := g.objects["ssls/"+id]; o != nil {
			cert, key = o.value["cert"], o.value["key"]
		}
	}
	pool := []any{a.target, name, verify, cert}
	if g.is("shares connections to targets") {
		pool = pool[:2]
	}
	b, _ := json.Marshal(pool) // strings and booleans always print
	if old := g.pools[string(b)]; old != nil {
		return old, true
	}
	c := &tls.Config{ServerName: name, InsecureSkipVerify: !verify}
	if cert != nil && !g.is("shows targets no certificate") {
		if p, err := tls.X509KeyPair([]byte(cert.(string)), []byte(key.(string))); err == nil {
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &p, nil }
		}
	}
	made := &http.Transport{DisableCompression: true, IdleConnTimeout: time.Second, DialContext: dialWithin, TLSClientConfig: c}
	if g.pools == nil {
		g.pools = map[string]*http.Transport{}
	}
	g.pools[string(b)] = made
	return made, true
}
