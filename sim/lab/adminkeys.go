package lab

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"

	"github.com/unilb/unilb/sim/pki"
	"github.com/unilb/unilb/topology"
)

// adminKeys are the authority of a lab's l7admins and that of who may connect to them
// with TLS. They live as long as the lab.
type adminKeys struct{ servers, clients *pki.Authority }

// newAdminKeys makes them; nil: the plan has no l7admin.
func newAdminKeys(p *topology.Plan) (*adminKeys, error) {
	if len(p.OfKind(topology.KindAdmin)) == 0 {
		return nil, nil
	}
	servers, err := pki.New("l7admin of " + p.Lab)
	if err != nil {
		return nil, err
	}
	clients, err := pki.New("who may change " + p.Lab)
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
	own, err := k.servers.Issue(n.plan.Underlay.String())
	if err != nil {
		return err
	}
	for name, text := range map[string]string{topology.AdminCert: own.Cert, topology.AdminClientCA: k.clients.PEM, topology.AdminCertKey: own.Key} {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
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
	client, err := l.keys.clients.Issue("operator")
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(l.keys.servers.Cert)
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{client.TLS}}, nil
}
