package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that looks at certificates of clients in handshakes only: who
// was connected before the demand came, or before the authority was changed, goes
// on for as long as its connection lives.
var tlsClientCertLater = spec.Case{
	ID: "TLS-CLIENT-CERT-LATER", Level: spec.Must, Needs: []spec.Feature{spec.TLSClientAuth}, Env: []spec.Capability{spec.TLS},
	Title:    "Once a name wants certificates of clients, no request of a connection that was opened before reaches a backend without one.",
	Refs:     []string{"APISIX 3.18 ssl.client: each request is checked", "docs/wire.md 1, applied"},
	After:    []string{"TLS-CLIENT-CERT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		ca, club, name := newAuthority(t, "case"), newAuthority(t, "club"), "a."+t.Host()
		p := ca.issue(name)
		put(ctx, t, "a", server(p, name))
		route(ctx, t, "a", name, t.Backend(0))
		t.Wait(ctx)
		type open struct {
			gw spec.Gateway
			s  *traffic.Session
		}
		var all []open
		for _, gw := range t.Env().Gateways() {
			from := t.Env().Clients()[0]
			from.Dialer = traffic.Secure{Dialer: from.Dialer, Config: client(name)}
			s := traffic.NewSession(from, gw.TLS, t.Env().Recorder(), traffic.Options{Stream: t.Name("kept"), Timeout: visitBound, Conns: traffic.ConnPolicy{Keep: 1}})
			t.Cleanup(func(context.Context) error { s.Close(); return nil })
			v := visit{Result: s.Do(ctx, traffic.Request{Host: name}), gw: gw, name: name}
			t.Check(v.Backend() == t.Backend(0).Ref, "%s: before: got %s, want %s (op %s)", gw.Ref, ask.Said(v.Result), t.Backend(0).Ref, v.Op.ID)
			all = append(all, open{gw, s})
		}
		o := server(p, name)
		o["client"] = object{"ca": club.PEM, "depth": 1}
		put(ctx, t, "a", o)
		t.Wait(ctx)
		for _, x := range all {
			v := visit{Result: x.s.Do(ctx, traffic.Request{Host: name}), gw: x.gw, name: name}
			v.refused(t, "a connection of before")
		}
	},
}
