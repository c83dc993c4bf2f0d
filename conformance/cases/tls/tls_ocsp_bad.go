package tls

import (
	"context"
	"crypto/x509/pkix"
	"net/http"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
)

// Catches a gateway that staples what it gets without a look: clients take the whole
// handshake for an attack, or believe a state that nobody has attested.
var tlsOCSPBad = spec.Case{
	ID: "TLS-OCSP-BAD", Level: spec.Must, Needs: []spec.Feature{spec.TLSStapling}, Env: []spec.Capability{spec.TLS},
	Title:    "An answer of a responder that says revoked or unknown, has ended or has not begun, is signed by a stranger, is of another certificate or is none is not stapled; with it, and with a responder that is away or silent, handshakes are served at once.",
	Refs:     []string{"RFC 6960 3.2", "RFC 6066 8", "RFC 8446 4.4.2.1"},
	After:    []string{"TLS-OCSP-GOOD"},
	Backends: 1,
	Played:   1,
	Timeout:  time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		ca, stranger, r := newAuthority(t, "case"), newAuthority(t, "case"), newResponder(t)
		later, past := time.Now().Add(24*time.Hour), time.Now().Add(-time.Minute)
		kinds := []struct {
			name   string
			answer func(p pki.Pair) []byte
		}{
			{"revoked", func(p pki.Pair) []byte { return ca.answer(ca.status(p, ocsp.Revoked, later)) }},
			{"unknown", func(p pki.Pair) []byte { return ca.answer(ca.status(p, ocsp.Unknown, later)) }},
			{"ended", func(p pki.Pair) []byte { return ca.answer(ca.status(p, ocsp.Good, past)) }},
			{"not-begun", func(p pki.Pair) []byte {
				s := ca.status(p, ocsp.Good, later)
				s.ThisUpdate = time.Now().Add(2 * time.Hour)
				return ca.answer(s)
			}},
			{"stranger", func(p pki.Pair) []byte { return stranger.answer(stranger.status(p, ocsp.Good, later)) }},
			{"of-another", func(pki.Pair) []byte { return ca.answer(ca.status(ca.issue("other.example"), ocsp.Good, later)) }},
			{"none", func(pki.Pair) []byte { return []byte("this is no answer") }},
			{"cut", func(p pki.Pair) []byte { b := ca.answer(ca.status(p, ocsp.Good, later)); return b[:len(b)/2] }},
		}
		pairs := map[string]pki.Pair{}
		for _, k := range kinds {
			pairs[k.name] = stapled(ctx, t, ca, k.name, r.url+"/"+k.name, func(p pki.Pair) { r.says(k.name, k.answer(p)) })
		}
		closed, err := t.Env().Closed(ctx)
		if err != nil {
			t.Brokenf("an address where nobody listens: %v", err)
		}
		for name, x := range map[string]struct {
			url     string
			demands []pkix.Extension
		}{"away": {"http://" + closed.String() + "/", nil}, "away-must": {"http://" + closed.String() + "/", []pkix.Extension{mustStaple}}, "silent": {r.url + "/silent", nil}} {
			pairs[name] = stapled(ctx, t, ca, name, x.url, func(pki.Pair) { r.silent("silent") }, x.demands...)
		}
		t.Wait(ctx)
		for name, p := range pairs { // before anything is known, also of those that are away
			visited(ctx, t, name, p, "at first, "+name, func(v visit) { v.notStapled(t, name) })
		}
		for _, k := range kinds {
			untilAsked(ctx, t, r, k.name, pairs[k.name], k.name)
		}
		for range 3 {
			for name, p := range pairs {
				visited(ctx, t, name, p, "after the answer, "+name, func(v visit) { v.notStapled(t, name) })
			}
		}
	},
}

// notStapled checks that a visit was told nothing of its certificate.
func (v visit) notStapled(t *spec.T, why string) {
	t.Check(len(v.staple()) == 0, "%s: %s: a staple of %d bytes, want none (op %s)", v.gw.Ref, why, len(v.staple()), v.Op.ID)
}

// silent has the responder take questions and say nothing.
func (r *responder) silent(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[name] = func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }
}
