package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
)

// noneOf checks that a client which offers only one of the ciphers is turned down,
// and one that offers a good cipher as well is served with that.
func noneOf(ctx context.Context, t *spec.T, bad ...uint16) {
	name, p := oneName(ctx, t, true)
	good := tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	for _, gw := range t.Env().Gateways() {
		for _, suite := range bad {
			c := between(name, tls.VersionTLS12, tls.VersionTLS12)
			c.CipherSuites = []uint16{suite}
			noHandshake(t, call(ctx, t, gw, c, name), "only "+tls.CipherSuiteName(suite))
			c = c.Clone()
			c.CipherSuites = []uint16{suite, good}
			v := call(ctx, t, gw, c, name)
			if v.served(t, p, t.Backend(0), "a good cipher as well") {
				t.Check(v.State.CipherSuite == good, "%s: got %s, want %s", gw.Ref, tls.CipherSuiteName(v.State.CipherSuite), tls.CipherSuiteName(good))
			}
		}
	}
}
