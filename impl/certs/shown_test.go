package certs

import (
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/unilb/unilb/impl/certs/certstest"
)

func TestWhatAClientHasShownIsToldAsNginxTellsIt(t *testing.T) {
	ca, club := certstest.NewAuthority(t), certstest.NewAuthority(t)
	pairs := []tls.Certificate{ca.Issue("x", certstest.Elliptic(t))}
	partly := must(t, Spec{ID: "partly", Names: []string{"partly.example"}, Pairs: pairs, Client: &ClientSpec{CA: []*x509.Certificate{club.Cert}, Skip: []string{"^/open"}}})
	open := must(t, Spec{ID: "open", Names: []string{"open.example"}, Pairs: pairs})
	table := (&Table{}).With(partly).With(open)
	member, foreigner := club.Issue("member", certstest.Elliptic(t)), ca.Issue("member", certstest.Elliptic(t))
	for _, tc := range []struct {
		how, name, path string
		shown           []*x509.Certificate
		want            string
	}{
		{"nothing", "partly.example", "/open", nil, "NONE"},
		{"a member", "partly.example", "/x", []*x509.Certificate{member.Leaf}, "SUCCESS"},
		{"a member, where nothing is demanded", "partly.example", "/open", []*x509.Certificate{member.Leaf}, "SUCCESS"},
		{"a foreigner, where nothing is demanded", "partly.example", "/open", []*x509.Certificate{foreigner.Leaf}, "FAILED:x509: "},
		{"a member, by a name that demands nothing", "open.example", "/", []*x509.Certificate{member.Leaf}, "FAILED:nobody has asked for it"},
	} {
		c := &Conn{name: tc.name, peers: tc.shown}
		table.Admits(c, tc.name, tc.path, now)
		if got := c.Verified(); got != tc.want && (!strings.HasSuffix(tc.want, ": ") || !strings.HasPrefix(got, tc.want)) {
			t.Errorf("%s: %q, want %q", tc.how, got, tc.want)
		}
		if _, ok := c.Shown(); ok != (tc.shown != nil) {
			t.Errorf("%s: shown %t", tc.how, ok)
		}
	}
	leaf := *member.Leaf
	leaf.SerialNumber = big.NewInt(0x0abcde)
	got, _ := (&Conn{peers: []*x509.Certificate{&leaf}}).Shown()
	sum := sha1.Sum(leaf.Raw)
	want := Shown{
		Subject: "CN=member", Issuer: leaf.Issuer.String(), Serial: "0ABCDE", Fingerprint: hex.EncodeToString(sum[:]),
		Begins: leaf.NotBefore.UTC().Format("Jan _2 15:04:05 2006 GMT"), Ends: leaf.NotAfter.UTC().Format("Jan _2 15:04:05 2006 GMT"),
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// All streams of a connection ask for it, from any number of goroutines.
func TestWhatAClientHasShownIsMadeOnce(t *testing.T) {
	c := &Conn{peers: []*x509.Certificate{certstest.NewAuthority(t).Issue("member", certstest.Elliptic(t)).Leaf}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got, ok := c.Shown(); !ok || got.Subject != "CN=member" {
				t.Errorf("shown %+v, %t", got, ok)
			}
		})
	}
	wg.Wait()
	if n := testing.AllocsPerRun(100, func() { c.Shown() }); n != 0 {
		t.Errorf("asking again allocates %v times", n)
	}
}
