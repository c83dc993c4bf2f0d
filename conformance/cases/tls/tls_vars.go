package tls

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway whose conditions know the request and not the connection it came by:
// nobody could keep old clients apart.
var tlsVars = spec.Case{
	ID: "TLS-VARS", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI, spec.RouteVars}, Env: []spec.Capability{spec.TLS},
	Title:    "Conditions may ask for the version, the cipher and the name of the handshake, in nginx's words; without TLS there is none.",
	Refs:     []string{"APISIX 3.18 route.vars, variables of nginx: ssl_protocol, ssl_cipher, ssl_server_name"},
	After:    []string{"TLS-VERSIONS", "ROUTE-VARS-REGEX"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		name, p := oneName(ctx, t, false)
		to := fmt.Sprintf(`"upstream":{"type":"roundrobin","nodes":{%q:1}}`, t.Backend(1).Addr) // the route of the name goes to the other
		for path, vars := range map[string]string{
			"/new":    `[["ssl_protocol","==","TLSv1.3"],["ssl_cipher","~~","^TLS_(AES|CHACHA20)_"]]`,
			"/old":    `[["ssl_protocol","==","TLSv1.2"],["ssl_cipher","~~","^ECDHE-ECDSA-[A-Z0-9-]+$"]]`,
			"/name":   fmt.Sprintf(`[["ssl_server_name","==",%q]]`, name),
			"/none":   `[["ssl_protocol","==",null],["ssl_cipher","==",null],["ssl_session_reused","==",null]]`,
			"/begins": `[["ssl_session_reused","==","."]]`,
		} {
			t.Put(ctx, "routes/"+t.Name("of"+path[1:]), fmt.Sprintf(`{"host":%q,"uri":%q,"vars":%s,%s}`, name, path, vars, to))
		}
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			old, recent := between(name, tls.VersionTLS12, tls.VersionTLS12), between(name, tls.VersionTLS13, tls.VersionTLS13)
			for _, ask := range []struct {
				path    string
				by      *tls.Config
				matches bool
			}{
				{"/new", recent, true}, {"/new", old, false}, {"/old", old, true}, {"/old", recent, false},
				{"/name", recent, true}, {"/none", recent, false}, {"/begins", recent, true}, {"/begins", old, true},
			} {
				v := callBy(ctx, t, traffic.Secure{Dialer: t.Env().Clients()[0].Dialer, Config: ask.by}, gw, traffic.Request{Host: name, Target: ask.path})
				want := t.Backend(0)
				if ask.matches {
					want = t.Backend(1)
				}
				v.served(t, p, want, ask.path+" with "+tls.VersionName(ask.by.MaxVersion))
			}
			s := traffic.NewSession(t.Env().Clients()[0], gw.Data, t.Env().Recorder(), traffic.Options{Stream: t.Name("plain"), Headers: true})
			r := s.Do(ctx, traffic.Request{Host: name, Target: "/none"})
			t.Check(r.Backend() == t.Backend(1).Ref, "%s: /none without TLS: got %v from %q, want 200 from %s (op %s)", gw.Ref, r.Err, r.Backend(), t.Backend(1).Ref, r.Op.ID)
			s.Close()
		}
	},
}
