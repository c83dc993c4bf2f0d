package certs

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs/certstest"
)

var now = time.Now()

// must compiles.
func must(t *testing.T, s Spec) *Certificate {
	t.Helper()
	c, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serve(all ...*Certificate) *Server {
	s := NewServer(Options{Secret: []byte(strings.Repeat("s", minSecret))}, now)
	t := &Table{}
	for _, c := range all {
		t = t.With(c)
	}
	s.Use(t)
	return s
}

// connected are the ends of a connection. It takes what is written before anybody
// reads: who refuses a handshake need not wait until the other side is silent.
func connected(t *testing.T) (near, far net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if near, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	_, _ = near.SetDeadline(deadline), far.SetDeadline(deadline) // sockets take them
	return near, far
}

// shake makes a handshake and returns what the client and the server know then.
func shake(t *testing.T, s *Server, c *tls.Config) (client, server tls.ConnectionState, err error) {
	t.Helper()
	c = c.Clone()
	c.InsecureSkipVerify = true
	near, far := connected(t)
	done := make(chan error, 1)
	sc := tls.Server(far, s.Config())
	go func() {
		err := sc.Handshake()
		if err == nil {
			_, err = sc.Write([]byte("x")) // with it the tickets of TLS 1.3 have come
		}
		_ = sc.Close() // the client may be gone
		done <- err
	}()
	cc := tls.Client(near, c)
	err = cc.Handshake()
	if err == nil {
		_, err = io.ReadFull(cc, make([]byte, 1)) // in TLS 1.3 the server's refusal comes here; the end may come with the byte
	}
	_ = near.Close()
	return cc.ConnectionState(), sc.ConnectionState(), errors.Join(err, <-done)
}

func leafOf(s tls.ConnectionState) string {
	if len(s.PeerCertificates) == 0 {
		return "-"
	}
	return s.PeerCertificates[0].Subject.CommonName
}

func TestHandshakeGetsTheCertificateOfItsName(t *testing.T) {
	ca := certstest.NewAuthority(t)
	a := must(t, Spec{ID: "a", Names: []string{"A.example"}, Pairs: []tls.Certificate{ca.Below().Issue("a", certstest.Elliptic(t))}})
	star := must(t, Spec{ID: "b", Names: []string{"*.example"}, Pairs: []tls.Certificate{ca.Issue("star", certstest.Elliptic(t))}})
	s := serve(a, star)
	for name, want := range map[string]string{"a.example": "a", "a.EXAMPLE": "a", "b.example": "star"} {
		got, _, err := shake(t, s, &tls.Config{ServerName: name})
		if err != nil || leafOf(got) != want {
			t.Errorf("%s: certificate %s, %v, want %s", name, leafOf(got), err, want)
		}
		if want == "a" && len(got.PeerCertificates) != 2 {
			t.Errorf("%s: a chain of %d, want the intermediate authority, too", name, len(got.PeerCertificates))
		}
	}
	var alert tls.AlertError
	for _, name := range []string{"x.y.example", "", "192.0.2.1"} {
		got, _, err := shake(t, s, &tls.Config{ServerName: name})
		if err == nil || leafOf(got) != "-" {
			t.Errorf("%q: certificate %s, want none", name, leafOf(got))
		}
		if !errors.As(err, &alert) && !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%q: %v, want the alert unrecognized_name", name, err)
		}
	}
	s = NewServer(Options{Fallback: "a.Example"}, now)
	s.Use((&Table{}).With(a))
	if got, _, err := shake(t, s, &tls.Config{}); err != nil || leafOf(got) != "a" {
		t.Errorf("no name, with a fallback: certificate %s, %v", leafOf(got), err)
	}
	if got, _, err := shake(t, s, &tls.Config{ServerName: "x.example"}); err == nil {
		t.Errorf("a name that nobody has, with a fallback: certificate %s", leafOf(got))
	}
}

func TestEachClientGetsAPairThatItCanUse(t *testing.T) {
	ca := certstest.NewAuthority(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	// Neither certificate is for the name: the object says where they are served.
	s := serve(must(t, Spec{ID: "a", Names: []string{"a.example"}, Pairs: []tls.Certificate{ca.Issue("rsa", key), ca.Issue("elliptic", certstest.Elliptic(t))}}))
	for suite, want := range map[uint16]string{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "rsa", tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "elliptic"} {
		got, _, err := shake(t, s, &tls.Config{ServerName: "a.example", MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}})
		if err != nil || leafOf(got) != want {
			t.Errorf("%s: certificate %s, %v", want, leafOf(got), err)
		}
	}
	if got, _, err := shake(t, s, &tls.Config{ServerName: "a.example"}); err != nil || leafOf(got) != "elliptic" {
		t.Errorf("a client that can use both gets %s, %v, want the cheaper one", leafOf(got), err)
	}
}

func TestVersionsOfAnObject(t *testing.T) {
	pairs := []tls.Certificate{certstest.NewAuthority(t).Issue("a", certstest.Elliptic(t))}
	for _, tc := range []struct {
		protocols []string
		want      string // versions 1.1, 1.2, 1.3 that are served
	}{
		{nil, "23"}, {[]string{"TLSv1.3"}, "3"}, {[]string{"TLSv1.2"}, "2"}, {[]string{"TLSv1.3", "TLSv1.2"}, "23"}, {[]string{"TLSv1.2", "TLSv1.1"}, "12"},
	} {
		s := serve(must(t, Spec{ID: "a", Names: []string{"a"}, Pairs: pairs, Protocols: tc.protocols}))
		got := ""
		for v, digit := range map[uint16]string{tls.VersionTLS11: "1", tls.VersionTLS12: "2", tls.VersionTLS13: "3"} {
			_, _, err := shake(t, s, &tls.Config{ServerName: "a", MinVersion: v, MaxVersion: v})
			if (err == nil) != strings.Contains(tc.want, digit) {
				t.Errorf("%v: TLS 1.%s: %v, want versions %s", tc.protocols, digit, err, tc.want)
			}
			got += digit
		}
	}
	for _, bad := range [][]string{{"TLSv1.1", "TLSv1.3"}, {"SSLv3"}} {
		if _, err := Compile(Spec{Pairs: pairs, Protocols: bad}); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}
