package certs

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs/certstest"
)

// showing is a client that shows a certificate, whoever the server says it trusts.
func showing(name string, p *tls.Certificate) *tls.Config {
	c := &tls.Config{ServerName: name}
	if p != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p, nil }
	}
	return c
}

func TestClientMustShowACertificateOfTheAuthority(t *testing.T) {
	ca, club := certstest.NewAuthority(t), certstest.NewAuthority(t)
	spec := func(depth int, skip ...string) Spec {
		return Spec{ID: "a", Names: []string{"a.example"}, Pairs: []tls.Certificate{ca.Issue("a", certstest.Elliptic(t))},
			Client: &ClientSpec{CA: []*x509.Certificate{club.Cert}, Depth: depth, Skip: skip}}
	}
	member, foreigner := club.Issue("member", certstest.Elliptic(t)), certstest.NewAuthority(t).Issue("member", certstest.Elliptic(t))
	one, two := club.Below().Issue("one", certstest.Elliptic(t)), club.Below().Below().Issue("two", certstest.Elliptic(t))
	for _, tc := range []struct {
		how   string
		shown *tls.Certificate
		depth int
		want  bool
	}{
		{"a member", &member, 0, true}, {"nothing", nil, 1, false}, {"a foreigner", &foreigner, 1, false},
		{"one authority between, of none", &one, 0, false}, {"one between, of one", &one, 1, true}, {"two between, of one", &two, 1, false}, {"two between, of two", &two, 2, true},
	} {
		strict, asking := serve(must(t, spec(tc.depth))), serve(must(t, spec(tc.depth, "^/open/")))
		for _, version := range bothVersions {
			c := showing("a.example", tc.shown)
			c.MinVersion, c.MaxVersion = version, version
			_, state, err := shake(t, strict, c)
			if (err == nil) != tc.want {
				t.Errorf("%s, %s: handshake %v, want it to succeed: %t", tls.VersionName(version), tc.how, err, tc.want)
			}
			if err == nil && !strict.table.Load().Admits(strict.Conn(state), "a.example", "/", now) {
				t.Errorf("%s, %s: the handshake succeeds and the request is not admitted", tls.VersionName(version), tc.how)
			}
			_, state, err = shake(t, asking, c)
			if err != nil {
				t.Errorf("%s, %s: a handshake that only asks: %v", tls.VersionName(version), tc.how, err)
				continue
			}
			table, conn := asking.table.Load(), asking.Conn(state)
			for range 2 { // what was found is kept
				if got := table.Admits(conn, "a.example", "/closed", now); got != tc.want {
					t.Errorf("%s, %s: admitted %t, want %t", tls.VersionName(version), tc.how, got, tc.want)
				}
				if !table.Admits(conn, "a.example", "/open/x", now) {
					t.Errorf("%s, %s: a path that demands nothing is not admitted", tls.VersionName(version), tc.how)
				}
			}
		}
	}
}

func TestDemandsCannotBeWalkedAround(t *testing.T) {
	ca, club := certstest.NewAuthority(t), certstest.NewAuthority(t)
	pairs := []tls.Certificate{ca.Issue("x", certstest.Elliptic(t))}
	open := must(t, Spec{ID: "open", Names: []string{"open.example", "*.open.example"}, Pairs: pairs})
	demand := &ClientSpec{CA: []*x509.Certificate{club.Cert}, Depth: 1}
	closed := must(t, Spec{ID: "closed", Names: []string{"closed.example"}, Pairs: pairs, Client: demand})
	partly := must(t, Spec{ID: "partly", Names: []string{"partly.example"}, Pairs: pairs, Client: &ClientSpec{CA: demand.CA, Skip: []string{"^/open"}}})
	ahead := must(t, Spec{ID: "ahead", Names: []string{"ahead.example"}, Pairs: pairs, Client: &ClientSpec{CA: demand.CA, Skip: []string{"^/(?!admin/)"}}})
	table := (&Table{}).With(open).With(closed).With(partly).With(ahead)
	member := club.Issue("member", certstest.Elliptic(t))
	for _, tc := range []struct {
		name   string // of the handshake
		member bool
		host   string
		path   string
		want   bool
	}{
		{"open.example", false, "open.example", "/", true},
		{"open.example", false, "x.open.example", "/", true},
		{"open.example", false, "nobody.example", "/", true},
		{"open.example", false, "closed.example", "/", false},
		{"open.example", true, "closed.example", "/", false},
		{"open.example", false, "partly.example", "/", false},
		{"open.example", false, "partly.example", "/open", false}, // for no path, as in APISIX
		{"closed.example", true, "closed.example", "/", true},
		{"closed.example", true, "open.example", "/", true},
		{"closed.example", false, "closed.example", "/", false},
		{"closed.example", false, "open.example", "/", false},
		{"partly.example", false, "partly.example", "/x", false},
		{"partly.example", true, "partly.example", "/x", true},
		{"gone.example", false, "gone.example", "/", true},
		{"ahead.example", false, "ahead.example", "/api/x", true}, // a pattern that Go's library does not know
		{"ahead.example", false, "ahead.example", "/admin/x", false},
	} {
		c := &Conn{name: tc.name}
		if tc.member {
			c.peers = []*x509.Certificate{member.Leaf}
		}
		if got := table.Admits(c, tc.host, tc.path, now); got != tc.want {
			t.Errorf("%+v: admitted %t", tc, got)
		}
	}
	if !table.Admits(nil, "closed.example", "/", now) {
		t.Error("a connection without TLS is not admitted")
	}
	// A demand that came after the handshake, and one whose authority has changed.
	c := &Conn{name: "closed.example", peers: []*x509.Certificate{member.Leaf}}
	later := must(t, Spec{ID: "closed", Names: []string{"closed.example"}, Pairs: pairs, Client: &ClientSpec{CA: []*x509.Certificate{ca.Cert}, Depth: 1}})
	for _, tc := range []struct {
		t    *Table
		want bool
	}{{table.Without("closed"), true}, {table, true}, {table.With(later), false}, {table, true}} {
		if got := tc.t.Admits(c, "closed.example", "/", now); got != tc.want {
			t.Errorf("after a change: admitted %t, want %t", got, tc.want)
		}
	}
	if table.Admits(&Conn{name: "closed.example", peers: c.peers}, "closed.example", "/", now.Add(2*time.Hour)) {
		t.Error("a certificate that has expired is admitted")
	}
}

func TestNothingIsLookedAtWhereNobodyDemands(t *testing.T) {
	table := (&Table{}).With(certificate("a", 0, "a.example"))
	c := &Conn{name: "a.example"}
	if n := testing.AllocsPerRun(100, func() { table.Admits(c, "b.example", "/", now) }); n != 0 {
		t.Errorf("allocates %v times", n)
	}
}
