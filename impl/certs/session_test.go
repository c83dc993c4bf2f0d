package certs

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs/certstest"
)

// ticket is the session that a client had last, whatever its name.
type ticket struct{ last *tls.ClientSessionState }

func (k *ticket) Get(string) (*tls.ClientSessionState, bool) { return k.last, k.last != nil }
func (k *ticket) Put(_ string, s *tls.ClientSessionState)    { k.last = s }

var bothVersions = []uint16{tls.VersionTLS12, tls.VersionTLS13}

func TestSessionIsResumedForNothingButItsOwn(t *testing.T) {
	ca := certstest.NewAuthority(t)
	pair := ca.Issue("a", certstest.Elliptic(t))
	plain := func(id, name string, p tls.Certificate) *Certificate {
		return must(t, Spec{ID: id, Names: []string{name}, Pairs: []tls.Certificate{p}})
	}
	a, b := plain("a", "a.example", pair), plain("b", "b.example", ca.Issue("b", certstest.Elliptic(t)))
	demanding := must(t, Spec{ID: "a", Names: []string{"a.example"}, Pairs: []tls.Certificate{pair}, Client: &ClientSpec{CA: []*x509.Certificate{ca.Cert}, Skip: []string{"."}}})
	for _, version := range bothVersions {
		for _, tc := range []struct {
			how    string
			server *Server
			name   string
			want   bool
		}{
			{"the same", serve(a, b), "a.example", true},
			{"the same, in other letters", serve(a, b), "A.example", true},
			{"the same, of an object that was written anew", serve(plain("new", "a.example", pair)), "a.example", true},
			{"another name with another certificate", serve(a, b), "b.example", false},
			{"another name with the same certificate", serve(a, plain("b", "b.example", pair)), "b.example", false},
			{"another certificate", serve(plain("a", "a.example", ca.Issue("a", certstest.Elliptic(t)))), "a.example", false},
			{"clients must show something now", serve(demanding), "a.example", false},
		} {
			k := &ticket{}
			c := &tls.Config{ServerName: "a.example", MinVersion: version, MaxVersion: version, ClientSessionCache: k}
			if _, _, err := shake(t, serve(a, b), c); err != nil || k.last == nil {
				t.Fatalf("%s, %s: %v, a session: %t", tls.VersionName(version), tc.how, err, k.last != nil)
			}
			c.ServerName = tc.name
			got, _, err := shake(t, tc.server, c)
			if err != nil || got.DidResume != tc.want {
				t.Errorf("%s, %s: resumed %t, %v, want %t", tls.VersionName(version), tc.how, got.DidResume, err, tc.want)
			}
		}
		k := &ticket{}
		c := &tls.Config{ServerName: "a.example", MinVersion: version, MaxVersion: version, ClientSessionCache: k}
		if _, _, err := shake(t, serve(a), c); err != nil {
			t.Fatal(err)
		}
		if got, _, err := shake(t, serve(b), c); err == nil {
			t.Errorf("%s: the certificate is gone, and a session of it is resumed: %t", tls.VersionName(version), got.DidResume)
		}
	}
}

func TestTicketsLiveForOneToTwoPeriodsWithAllThatShareTheSecret(t *testing.T) {
	a := must(t, Spec{ID: "a", Names: []string{"a"}, Pairs: []tls.Certificate{certstest.NewAuthority(t).Issue("a", certstest.Elliptic(t))}})
	table := (&Table{}).With(a)
	server := func(secret string, at time.Time) *Server {
		s := NewServer(Options{Secret: []byte(secret)}, now)
		s.Rotate(at)
		s.Use(table)
		return s
	}
	shared := strings.Repeat("s", minSecret)
	begin := now.Truncate(ticketPeriod)
	for _, tc := range []struct {
		how    string
		secret string
		after  time.Duration
		want   bool
	}{
		{"at once", shared, 0, true},
		{"in the next period", shared, ticketPeriod, true},
		{"with a gateway whose clock is behind", shared, -time.Second, true},
		{"two periods later", shared, 2 * ticketPeriod, false},
		{"with another secret", strings.Repeat("x", minSecret), 0, false},
		{"without a secret", "", 0, false},
	} {
		k := &ticket{}
		c := &tls.Config{ServerName: "a", ClientSessionCache: k}
		if _, _, err := shake(t, server(shared, begin), c); err != nil || k.last == nil {
			t.Fatalf("%v, a session: %t", err, k.last != nil)
		}
		got, _, err := shake(t, server(tc.secret, begin.Add(tc.after)), c)
		if err != nil || got.DidResume != tc.want {
			t.Errorf("%s: resumed %t, %v, want %t", tc.how, got.DidResume, err, tc.want)
		}
	}
	k := &ticket{}
	if _, _, err := shake(t, server("too short", begin), &tls.Config{ServerName: "a", ClientSessionCache: k}); err != nil || k.last != nil {
		t.Errorf("no secret: %v, a ticket: %t", err, k.last != nil)
	}
	s := server(shared, begin)
	if next := s.Rotate(begin.Add(time.Hour)); !next.Equal(begin.Add(ticketPeriod)) {
		t.Errorf("next rotation at %v, want %v", next, begin.Add(ticketPeriod))
	}
}
