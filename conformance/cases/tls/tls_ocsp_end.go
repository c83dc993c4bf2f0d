package tls

import (
	"context"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
)

const (
	// holdsFor is how long the answer holds that ends during the case.
	holdsFor = 3 * time.Second
	// onTheWay is what a handshake and the machine may take beside it, and how far a
	// clock may be off that counts seconds.
	onTheWay = 1500 * time.Millisecond
)

// Catches a gateway that keeps an answer beyond its end because its responder gives no
// other: whose certificate was revoked since would be good for ever.
var tlsOCSPEnd = spec.Case{
	ID: "TLS-OCSP-END", Level: spec.Must, Needs: []spec.Feature{spec.TLSStapling}, Env: []spec.Capability{spec.TLS},
	Title:    "An answer is stapled until its end, and not beyond it when the responder has no other; handshakes go on without.",
	Refs:     []string{"RFC 6960 4.2.2.1", "RFC 6066 8"},
	After:    []string{"TLS-OCSP-GOOD"},
	Backends: 1,
	Played:   1,
	Run: func(ctx context.Context, t *spec.T) {
		ca, r := newAuthority(t, "case"), newResponder(t)
		end := time.Now().Add(holdsFor).Truncate(time.Second)
		p := stapled(ctx, t, ca, "short", r.url+"/short", func(p pki.Pair) { r.says("short", ca.answer(ca.status(p, ocsp.Good, end))) })
		t.Wait(ctx)
		came := 0
		ask.Until(ctx, t, "the end of the answer has passed", 1, func() bool {
			visited(ctx, t, "short", p, "with an answer that ends", func(v visit) {
				late := time.Since(end) > onTheWay
				t.Check(!late || v.staple() == nil, "%s: an answer is stapled %s after its end (op %s)", v.gw.Ref, time.Since(end).Round(time.Millisecond), v.Op.ID)
				if v.staple() != nil {
					came++
				}
			})
			return time.Since(end) > onTheWay
		})
		for range 3 {
			visited(ctx, t, "short", p, "after the end of an answer", func(v visit) { v.notStapled(t, "after its end") })
		}
		if came == 0 {
			t.Undecided("the answer was never stapled before its end")
		}
	},
}
