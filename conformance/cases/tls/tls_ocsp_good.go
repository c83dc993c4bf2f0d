package tls

import (
	"context"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
)

// Catches a gateway that staples nothing: each browser asks the authority who visits
// what, and a certificate that demands a staple is refused by all of them.
var tlsOCSPGood = spec.Case{
	ID: "TLS-OCSP-GOOD", Level: spec.Must, Needs: []spec.Feature{spec.TLSStapling}, Env: []spec.Capability{spec.TLS},
	Title:    "What a responder says of a good certificate is stapled by every gateway, unchanged, soon after the certificate is in force, also for one that demands it.",
	Refs:     []string{"RFC 6066 8", "RFC 6960 4.2", "RFC 7633 4"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Played:   1,
	Run: func(ctx context.Context, t *spec.T) {
		ca, r := newAuthority(t, "case"), newResponder(t)
		until := time.Now().Add(24 * time.Hour)
		good := func(name string) func(pki.Pair) {
			return func(p pki.Pair) { r.says(name, ca.answer(ca.status(p, ocsp.Good, until))) }
		}
		plain := stapled(ctx, t, ca, "plain", r.url+"/plain", good("plain"))
		must := stapled(ctx, t, ca, "must", r.url+"/must", good("must"), mustStaple)
		t.Wait(ctx)
		for name, p := range map[string]pki.Pair{"plain": plain, "must": must} {
			ask.Until(ctx, t, "every gateway staples for "+name, 3, func() bool {
				all := true
				visited(ctx, t, name, p, "with a responder", func(v visit) {
					if all = all && v.staple() != nil; v.staple() == nil {
						return
					}
					got, err := ocsp.ParseResponseForCert(v.staple(), p.Leaf, ca.Cert)
					t.Check(err == nil && got.Status == ocsp.Good, "%s: %s: a staple that does not say good of this certificate: %v (op %s)", v.gw.Ref, name, err, v.Op.ID)
				})
				return all
			})
		}
	},
}
