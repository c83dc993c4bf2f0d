package etcdtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A Secure is a member that speaks TLS alone, with clients that show a certificate of
// its authority and name themselves: by a password, or by the certificate.
type Secure struct {
	*Server
	// CA, Cert and Key are files: the authority, and a client's certificate, which names
	// nobody that etcd knows.
	CA, Cert, Key string
	// User may read and write below the prefixes that StartSecure was given.
	User, Password string
}

// files are what a member serves TLS with: it asks clients for certificates of ca.
type files struct{ ca, cert, key string }

const rootPassword = "root"

// StartSecure runs such a member until the test ends.
func StartSecure(t T, prefixes ...string) *Secure {
	t.Helper()
	dir := t.TempDir()
	s := &Secure{CA: filepath.Join(dir, "ca.pem"), User: "gateway", Password: "a pass: word"}
	ca := issue(t, dir, "ca", nil)
	issue(t, dir, "server", ca)
	issue(t, dir, "client", ca)
	s.Cert, s.Key = filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key")
	s.Server = start(t, &files{ca: s.CA, cert: filepath.Join(dir, "server.pem"), key: filepath.Join(dir, "server.key")})
	s.askForNames(t, prefixes)
	return s
}

// askForNames adds users and turns authentication on.
func (s *Secure) askForNames(t T, prefixes []string) {
	t.Helper()
	c := s.client(t, "", "")
	defer func() { _ = c.Close() }() // nothing is under way
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	steps := []func() error{
		func() error { _, err := c.UserAdd(ctx, "root", rootPassword); return err },
		func() error { _, err := c.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := c.UserAdd(ctx, s.User, s.Password); return err },
		func() error { _, err := c.RoleAdd(ctx, s.User); return err },
		func() error { _, err := c.UserGrantRole(ctx, s.User, s.User); return err },
	}
	for _, p := range prefixes {
		steps = append(steps, func() error {
			_, err := c.RoleGrantPermission(ctx, s.User, p, clientv3.GetPrefixRangeEnd(p), clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		})
	}
	steps = append(steps, func() error { _, err := c.AuthEnable(ctx); return err })
	for _, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("set up users of etcd: %v", err)
		}
	}
}

// SetPassword changes the user's password, as an operator does.
func (s *Secure) SetPassword(t T, password string) {
	t.Helper()
	c := s.client(t, "root", rootPassword)
	defer func() { _ = c.Close() }() // nothing is under way
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if _, err := c.UserChangePassword(ctx, s.User, password); err != nil {
		t.Fatalf("change password: %v", err)
	}
	s.Password = password
}

func (s *Secure) client(t T, user, password string) *clientv3.Client {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(s.Cert, s.Key)
	if err != nil {
		t.Fatalf("client of etcd: %v", err)
	}
	ca, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatalf("client of etcd: %v", err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: x509.NewCertPool()}
	cfg.RootCAs.AppendCertsFromPEM(ca)
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Endpoint()}, TLS: cfg, Username: user, Password: password, DialTimeout: startTimeout})
	if err != nil {
		t.Fatalf("client of etcd: %v", err)
	}
	return c
}

// issue writes NAME.pem and NAME.key: an authority when by is nil, else a certificate of it.
func issue(t T, dir, name string, by *tls.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := tmpl, any(key)
	if by == nil {
		tmpl.IsCA, tmpl.KeyUsage = true, x509.KeyUsageCertSign
	} else {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		t.Fatalf("make a certificate: %v", err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("encode a key: %v", err)
	}
	const mode = 0o600
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	for file, text := range map[string][]byte{".pem": cert, ".key": secret} {
		if err := os.WriteFile(filepath.Join(dir, name+file), text, mode); err != nil {
			t.Fatalf("write a certificate: %v", err)
		}
	}
	pair, err := tls.X509KeyPair(cert, secret)
	if err != nil {
		t.Fatalf("read a certificate: %v", err)
	}
	return &pair
}
