package vpc

import (
	"context"
	"crypto/tls"
	"net/netip"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a tenant's API that knows listeners without TLS only, and a gateway that
// opens the port of one with TLS and speaks plain HTTP there.
var vpcHTTPS = spec.Case{
	ID: "VPC-HTTPS", Level: spec.Must, Needs: []spec.Feature{spec.VPCTargets, spec.TLSSNI}, Env: []spec.Capability{spec.Region, spec.VPC, spec.EBPF},
	Title:   "A listener of protocol https on a public address serves TLS with the certificate of its host, and the guest learns that the client came by https.",
	Refs:    []string{"docs/wire.md 1, /unilb/listeners", "docs/wire.md 3"},
	Timeout: 60 * time.Second,
	Run: func(ctx context.Context, t *spec.T) {
		const port = 443
		e, _ := site.TwoVPCs(t)
		guest := t.Start(ctx, spec.Want{Network: e.Network, N: 1})[0]
		framed.Certify(ctx, t)
		t.Wait(ctx)
		site.Publish(ctx, t, site.LB{Name: "https", Tenant: "t1", EIP: e.Address, Protocol: "https", Port: port, Host: t.Host(), VPC: e.Network, Targets: []netip.AddrPort{guest.Addr}})
		for _, client := range t.Env().Clients() {
			d := traffic.Secure{Dialer: client.Dialer, Config: &tls.Config{ServerName: t.Host(), InsecureSkipVerify: true}}
			d.Shaken = func(s tls.ConnectionState) {
				names := s.PeerCertificates[0].DNSNames
				t.Check(slices.Equal(names, []string{t.Host()}), "%s: the certificate is for %q, want %q", client.Ref, names, t.Host())
			}
			client.Dialer = d
			s := traffic.NewSession(client, netip.AddrPortFrom(e.Address, port), t.Env().Recorder(), traffic.Options{Stream: t.Name("https")})
			r := s.Do(ctx, traffic.Request{Host: t.Host()})
			a, want := ask.Seen(t, r), []string{"https"}
			t.Check(slices.Equal(a.Values("X-Forwarded-Proto"), want), "%s: the guest saw X-Forwarded-Proto %q, want %q (op %s)", client.Ref, a.Values("X-Forwarded-Proto"), want, r.Op.ID)
		}
	},
}
