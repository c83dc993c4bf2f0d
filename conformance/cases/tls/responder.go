package tls

import (
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
	"github.com/unilb/unilb/sim/traffic"
)

// A responder is played on listener 0 and answers what it is told, by path.
type responder struct {
	url string

	mu      sync.Mutex
	answers map[string]func(http.ResponseWriter, *http.Request)
	asked   map[string]int
}

// newResponder plays one until the case ends.
func newResponder(t *spec.T) *responder {
	r := &responder{url: "http://" + t.Played(0).Backend.Addr.String(), answers: map[string]func(http.ResponseWriter, *http.Request){}, asked: map[string]int{}}
	srv := &http.Server{Handler: r, ReadHeaderTimeout: traffic.DefaultTimeout}
	go func() { _ = srv.Serve(t.Played(0).Listener) }() // ends with Close below
	t.Cleanup(func(context.Context) error { return srv.Close() })
	return r
}

// ServeHTTP answers by the first part of the path; GET has the question behind it.
func (r *responder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	name, _, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/"), "/")
	_, _ = io.Copy(io.Discard, q.Body) // every certificate has a path of its own
	r.mu.Lock()
	answer := r.answers[name]
	r.mu.Unlock()
	if answer == nil {
		http.NotFound(w, q)
		return
	}
	answer(w, q)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[name]++
}

// times is how often it was asked for a certificate and has answered.
func (r *responder) times(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[name]
}

// says has it give these bytes.
func (r *responder) says(name string, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[name] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/ocsp-response")
		_, _ = w.Write(b) // who asks sees what is missing
	}
}

// mustStaple is the extension by which a certificate demands a staple (RFC 7633).
var mustStaple = pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}}

// stapled issues a certificate that names a responder, for NAME.HOST, lets the responder
// get ready for it, and publishes it with its issuer behind it and a route to backend 0.
func stapled(ctx context.Context, t *spec.T, ca *authority, name, responder string, ready func(pki.Pair), demands ...pkix.Extension) pki.Pair {
	host := name + "." + t.Host()
	tmpl := template(t, host)
	tmpl.OCSPServer, tmpl.ExtraExtensions = []string{responder}, demands
	p := ca.sign(tmpl, nil).With(ca.Authority)
	ready(p)
	put(ctx, t, name, server(p, host))
	route(ctx, t, name, host, t.Backend(0))
	return p
}

// status is what an authority says of a certificate, from an hour ago until then.
func (a *authority) status(p pki.Pair, status int, until time.Time) ocsp.Response {
	return ocsp.Response{
		Status: status, SerialNumber: p.Leaf.SerialNumber, ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: until, RevokedAt: time.Now().Add(-time.Minute), RevocationReason: ocsp.KeyCompromise,
	}
}

// answer signs it.
func (a *authority) answer(r ocsp.Response) []byte {
	b, err := ocsp.CreateResponse(a.Cert, a.Cert, r, a.Key)
	if err != nil {
		a.t.Brokenf("sign an answer of a responder: %v", err)
	}
	return b
}

// staple is what a visit was given as the state of its certificate; empty: nothing.
func (v visit) staple() []byte {
	if v.State == nil {
		return nil
	}
	return v.State.OCSPResponse
}

// visited makes a handshake for a name of the case at every gateway, over which a request
// must be served, and gives each visit to look.
func visited(ctx context.Context, t *spec.T, name string, p pki.Pair, why string, look func(visit)) {
	host := name + "." + t.Host()
	for _, gw := range t.Env().Gateways() {
		v := call(ctx, t, gw, client(host), host)
		v.served(t, p, t.Backend(0), why)
		look(v)
	}
}

// untilAsked visits until the responder has been asked as often as there are gateways:
// some ask when somebody comes.
func untilAsked(ctx context.Context, t *spec.T, r *responder, name string, p pki.Pair, why string) {
	ask.Until(ctx, t, why+": every gateway has asked the responder", 1, func() bool {
		visited(ctx, t, name, p, why, func(visit) {})
		return r.times(name) >= len(t.Env().Gateways())
	})
}
