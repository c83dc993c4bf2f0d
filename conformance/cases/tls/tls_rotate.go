package tls

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/traffic"
)

// rotations is how often the certificate is replaced.
const rotations = 4

// Catches a gateway that serves the old certificate after it said that the new
// one is in force, or that drops connections to bring it into force. Certificates
// are replaced every few weeks, at night, by a machine.
var tlsRotate = spec.Case{
	ID: "TLS-ROTATE", Level: spec.Must, Needs: []spec.Feature{spec.TLSHot}, Env: []spec.Capability{spec.TLS},
	Title:    "A replaced certificate is served to every handshake on all gateways once it is in force, and four replacements under load lose no request.",
	Refs:     []string{"APISIX 3.18 ssl: a put replaces the object", "docs/wire.md 1, applied"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Timeout:  90 * time.Second,
	Run: func(ctx context.Context, t *spec.T) {
		ca, name := newAuthority(t, "case"), "a."+t.Host()
		put(ctx, t, "a", server(ca.issue(name), name))
		route(ctx, t, "a", name, t.Backend(0))
		t.Wait(ctx)
		from := t.Env().Clients()[0]
		from.Dialer = traffic.Secure{Dialer: from.Dialer, Config: client(name)}
		mix := traffic.Sending(
			traffic.Weighted{Weight: 1, Request: traffic.Request{Host: name}},
			traffic.Weighted{Weight: 1, Request: traffic.Request{Host: name, Method: http.MethodPost, Body: []byte("order")}},
		)
		var streams []*traffic.Stream
		for i, gw := range t.Env().Gateways() {
			for _, l := range []traffic.Load{
				traffic.New(fmt.Sprintf("%s-kept-%d", t.ID(), i), gw.TLS, traffic.PerSecond(15), traffic.Keepalive(4), mix),
				traffic.New(fmt.Sprintf("%s-fresh-%d", t.ID(), i), gw.TLS, traffic.PerSecond(10), mix),
			} {
				s, err := traffic.Start(ctx, []traffic.Client{from}, t.Env().Recorder(), l)
				if err != nil {
					t.Brokenf("start load: %v", err)
				}
				t.Cleanup(func(ctx context.Context) error { _, _ = s.Stop(ctx); return nil }) // judged below
				streams = append(streams, s)
			}
		}
		for i := range rotations {
			for _, s := range streams {
				if err := s.Steady(ctx, 200*time.Millisecond); err != nil {
					t.Fatalf("before rotation %d: %v", i+1, err)
				}
			}
			p := ca.issue(name)
			put(ctx, t, "a", server(p, name))
			t.Wait(ctx)
			for _, gw := range t.Env().Gateways() {
				for range 5 {
					call(ctx, t, gw, client(name), name).served(t, p, t.Backend(0), fmt.Sprintf("rotation %d is in force", i+1))
				}
			}
		}
		ask.Ended(ctx, t, 4*check.MinOps, streams...)
		h := ask.WithoutCrossings(t, ask.Stop(ctx, t, streams...), rotations*len(t.Env().Gateways()))
		t.Verdicts(check.Judge(h, t.Env().Facts(), check.NoRequestLost(), check.AtMostOnce())...)
	},
}
