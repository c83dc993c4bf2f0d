package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/unilb/unilb/topology"
)

// adminKeys are the authority of a lab's l7admins and that of who may connect to them
// with TLS. They live as long as the lab.
type adminKeys struct{ servers, clients *authority }

// newAdminKeys makes them; nil: the plan has no l7admin.
func newAdminKeys(p *topology.Plan) (*adminKeys, error) {
	if len(p.OfKind(topology.KindAdmin)) == 0 {
		return nil, nil
	}
	servers, err := newAuthority("l7admin of " + p.Lab)
	if err != nil {
		return nil, err
	}
	clients, err := newAuthority("who may change " + p.Lab)
	if err != nil {
		return nil, err
	}
	return &adminKeys{servers, clients}, nil
}

// write puts the files of an l7admin onto its node's disk, unless they are there.
func (k *adminKeys) write(n *Node) error {
	at := func(name string) string { return filepath.Join(n.disk.dir, name) }
	if _, err := os.Stat(at(topology.AdminCertKey)); err == nil {
		return nil
	}
	own, err := k.servers.issue(string(n.Ref()), net.IP(n.plan.Underlay.AsSlice()))
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		return fmt.Errorf("encode the key of %s: %w", n.Ref(), err)
	}
	for name, block := range map[string]*pem.Block{
		topology.AdminCert:     {Type: "CERTIFICATE", Bytes: own.Certificate[0]},
		topology.AdminClientCA: {Type: "CERTIFICATE", Bytes: k.clients.cert.Raw},
		topology.AdminCertKey:  {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(at(name), pem.EncodeToMemory(block), 0o600); err != nil {
			return fmt.Errorf("write the certificate of %s: %w", n.Ref(), err)
		}
	}
	return nil
}

// AdminTLS is how to connect with TLS to the l7admins of the lab: who signed their
// certificates, and a certificate that they ask for. Each call makes another. A lab
// without l7admin has none.
func (l *Lab) AdminTLS() (*tls.Config, error) {
	if l.keys == nil {
		return nil, fmt.Errorf("lab %s has no l7admin", l.plan.Lab)
	}
	client, err := l.keys.clients.issue("operator")
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(l.keys.servers.cert)
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{client}}, nil
}

// An authority signs the certificates of a lab. Nobody else trusts it.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// certLife is how long certificates of a lab are valid, on either side of now: labs live
// for days at most, and the clocks of a machine may be set.
const certLife = 30 * 24 * time.Hour

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	tmpl := template(name)
	tmpl.IsCA, tmpl.KeyUsage = true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate of an authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of an authority: %w", err)
	}
	return &authority{cert, key}, nil
}

// issue makes a certificate for servers at the addresses; without any for clients.
func (a *authority) issue(name string, at ...net.IP) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	tmpl := template(name)
	tmpl.IPAddresses, tmpl.KeyUsage, tmpl.ExtKeyUsage = at, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if len(at) == 0 {
		tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign a certificate for %s: %w", name, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

func template(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: now.Add(-certLife), NotAfter: now.Add(certLife),
	}
}
