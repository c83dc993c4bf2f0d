package tls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/pki"
	"github.com/unilb/unilb/sim/traffic"
)

// visitBound is how long a handshake and a request over it may take.
const visitBound = traffic.DefaultTimeout

// An object is an Admin object "ssls/...".
type object map[string]any

// server is a certificate that is served for the names.
func server(p pki.Pair, names ...string) object {
	return object{"cert": p.Cert, "key": p.Key, "snis": names}
}

// put writes an object; Wait tells when it is in force.
func put(ctx context.Context, t *spec.T, name string, o object) {
	b, err := json.Marshal(o)
	if err != nil {
		t.Brokenf("encode ssls/%s: %v", name, err)
	}
	t.Put(ctx, "ssls/"+t.Name(name), string(b))
}

// route writes a route of a host to a backend, and is named like it.
func route(ctx context.Context, t *spec.T, name, host string, b spec.Backend) {
	t.Put(ctx, "routes/"+t.Name(name), fmt.Sprintf(`{"host":%q,"uri":"/*","upstream":{"type":"roundrobin","nodes":{%q:1}}}`, host, b.Addr))
}

// A visit is one handshake with a request over it.
type visit struct {
	traffic.Result
	State *tls.ConnectionState // nil: the handshake failed
	gw    spec.Gateway
	name  string
}

// client is what a client offers and asks for. It takes any certificate: cases
// look at what they got themselves.
func client(name string) *tls.Config {
	return &tls.Config{ServerName: name, InsecureSkipVerify: true}
}

// call makes a handshake and sends GET / for the host over it.
func call(ctx context.Context, t *spec.T, gw spec.Gateway, c *tls.Config, host string) visit {
	return callBy(ctx, t, traffic.Secure{Dialer: t.Env().Clients()[0].Dialer, Config: c}, gw, traffic.Request{Host: host})
}

// callBy sends a request over a dialer's connection.
func callBy(ctx context.Context, t *spec.T, d traffic.Secure, gw spec.Gateway, r traffic.Request) visit {
	v := visit{gw: gw, name: d.Config.ServerName}
	d.Shaken = func(s tls.ConnectionState) { v.State = &s }
	c := traffic.Client{Ref: t.Env().Clients()[0].Ref, Dialer: d}
	s := traffic.NewSession(c, gw.TLS, t.Env().Recorder(), traffic.Options{Stream: t.Name("ask"), Headers: true, Timeout: visitBound})
	defer s.Close()
	v.Result = s.Do(ctx, r)
	return v
}

// leaf is the certificate that was served; nil: none.
func (v visit) leaf() *x509.Certificate {
	if v.State == nil || len(v.State.PeerCertificates) == 0 {
		return nil
	}
	return v.State.PeerCertificates[0]
}

// said is what came of a visit, in a few words.
func (v visit) said() string {
	switch {
	case v.State == nil && v.Reply != nil:
		return "without TLS " + ask.Said(v.Result)
	case v.State == nil:
		return fmt.Sprintf("no handshake: %v", v.Err)
	case v.leaf() == nil:
		return "a handshake without a certificate and " + ask.Said(v.Result)
	}
	return fmt.Sprintf("certificate %q and %s", v.leaf().Subject.CommonName, ask.Said(v.Result))
}

// served checks that a visit got the certificate and an answer of the backend.
func (v visit) served(t *spec.T, p pki.Pair, b spec.Backend, why string) bool {
	ok := v.leaf() != nil && v.leaf().Equal(p.Leaf) && v.Backend() == b.Ref && v.Reply.Status == http.StatusOK
	return t.Check(ok, "%s: %s: name %q: got %s, want certificate %q and 200 from %s (op %s)", v.gw.Ref, why, v.name, v.said(), p.Leaf.Subject.CommonName, b.Ref, v.Op.ID)
}

// stranger checks that a visit got none of the certificates: the handshake
// failed, or somebody else's was served, the gateway's own.
func (v visit) stranger(t *spec.T, why string, ps ...pki.Pair) {
	for _, p := range ps {
		t.Check(v.leaf() == nil || !v.leaf().Equal(p.Leaf), "%s: %s: name %q: got %s, want no handshake, or a certificate of the gateway's own (op %s)", v.gw.Ref, why, v.name, v.said(), v.Op.ID)
	}
}

// refused checks that a request reached no backend: the handshake failed, the
// connection was closed, or the gateway answered itself with 4xx.
func (v visit) refused(t *spec.T, why string) {
	silent := v.Op.Class == history.ClassTimeout || v.Op.Class == history.ClassDialTimeout || v.Op.Class == history.ClassRefused
	ok := v.Reply == nil && !silent || v.Reply != nil && !v.Reply.FromBackend() && v.Reply.Status/100 == 4
	t.Check(ok, "%s: %s: name %q: got %s, want no handshake or the gateway's 4xx (op %s)", v.gw.Ref, why, v.name, v.said(), v.Op.ID)
}
