package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
)

// Catches a gateway that has one set of versions for all names: a tenant that may
// only use TLS 1.3 does not know that it speaks 1.2.
var tlsProtocols = spec.Case{
	ID: "TLS-PROTOCOLS", Level: spec.Must, Needs: []spec.Feature{spec.TLSObjects}, Env: []spec.Capability{spec.TLS},
	Title:    "A name speaks the versions of TLS that its certificate's ssl_protocols list, and no others.",
	Refs:     []string{"APISIX 3.18 ssl.ssl_protocols"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		ca := newAuthority(t, "case")
		names := map[string][]uint16{
			"new." + t.Host(): {tls.VersionTLS13}, "old." + t.Host(): {tls.VersionTLS12}, "both." + t.Host(): {tls.VersionTLS12, tls.VersionTLS13},
		}
		words := map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"}
		pairs := map[string]pki.Pair{}
		for name, versions := range names {
			var list []string
			for _, v := range versions {
				list = append(list, words[v])
			}
			pairs[name] = ca.issue(name)
			o := server(pairs[name], name)
			o["ssl_protocols"] = list
			put(ctx, t, name, o)
			route(ctx, t, name, name, t.Backend(0))
		}
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			for name, versions := range names {
				for _, v := range bothVersions {
					got := call(ctx, t, gw, between(name, v, v), name)
					if len(versions) == len(bothVersions) || versions[0] == v {
						got.served(t, pairs[name], t.Backend(0), tls.VersionName(v))
					} else {
						noHandshake(t, got, tls.VersionName(v)+" for "+name)
					}
				}
			}
		}
	},
}
