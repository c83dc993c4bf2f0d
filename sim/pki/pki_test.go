package pki

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"testing"
)

func TestCertificatesHoldForTheirNamesByTheirAuthorityOnly(t *testing.T) {
	root, between := authorities(t)
	other, err := New("root") // the name proves nothing
	if err != nil {
		t.Fatal(err)
	}
	p, err := between.Issue("a.example", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		host           string
		root, vouching *Authority
		want           bool
	}{
		"a name":          {"a.example", root, between, true},
		"an address":      {"192.0.2.1", root, between, true},
		"another name":    {"b.example", root, between, false},
		"another address": {"192.0.2.2", root, between, false},
		"nobody between":  {"a.example", root, nil, false},
		"another root":    {"a.example", other, between, false},
		"between as root": {"a.example", between, nil, true},
	} {
		o := x509.VerifyOptions{DNSName: c.host, Roots: pool(c.root), Intermediates: x509.NewCertPool()}
		if c.vouching != nil {
			o.Intermediates.AddCert(c.vouching.Cert)
		}
		for _, use := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
			o.KeyUsages = []x509.ExtKeyUsage{use}
			if _, err := p.Leaf.Verify(o); (err == nil) != c.want {
				t.Errorf("%s, use %d: got %v, want it valid: %t", name, use, err, c.want)
			}
		}
	}
}

func TestTextsOfAPairAreWhatItServes(t *testing.T) {
	_, between := authorities(t)
	tmpl, err := Template("a.example")
	if err != nil {
		t.Fatal(err)
	}
	key, err := RSA()
	if err != nil {
		t.Fatal(err)
	}
	p, err := between.Sign(tmpl, key)
	if err != nil {
		t.Fatal(err)
	}
	whole := p.With(between)
	for want, p := range map[int]Pair{1: p, 2: whole} {
		read, err := tls.X509KeyPair([]byte(p.Cert), []byte(p.Key))
		if err != nil {
			t.Fatal(err)
		}
		if len(read.Certificate) != want || len(p.TLS.Certificate) != want {
			t.Fatalf("%d certificates as text, %d served, want %d", len(read.Certificate), len(p.TLS.Certificate), want)
		}
		for i, der := range read.Certificate {
			if string(der) != string(p.TLS.Certificate[i]) {
				t.Errorf("certificate %d of %d is not the one that is served", i, want)
			}
		}
		if !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(read.Leaf.PublicKey) {
			t.Error("the certificate is of another key")
		}
	}
}

func TestASelfSignedCertificateIsItsOwnRoot(t *testing.T) {
	p, err := SelfSigned("a.example", "*.example")
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{"a.example": true, "b.example": true, "other.invalid": false} {
		if _, err := p.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool(&Authority{Cert: p.Leaf})}); (err == nil) != want {
			t.Errorf("%s: got %v, want it valid: %t", host, err, want)
		}
	}
	if err := p.Leaf.CheckSignatureFrom(p.Leaf); err != nil {
		t.Errorf("as an authority: %v", err)
	}
}

func authorities(t *testing.T) (root, between *Authority) {
	t.Helper()
	root, err := New("root")
	if err != nil {
		t.Fatal(err)
	}
	if between, err = root.Below("between"); err != nil {
		t.Fatal(err)
	}
	return root, between
}

func pool(a *Authority) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.Cert)
	return p
}
