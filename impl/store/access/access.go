// Package access owns how a program is told to reach etcd safely: the flags, the
// environment and the files from which come the authorities that members are verified
// by, the certificate that they are shown, and a user's name and password.
//
// It opens no connection. An Access is used by one goroutine.
package access

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/unilb/unilb/impl/store"
)

// An Access is what a program was told. The zero Access is nobody, and trusts whom the
// system trusts.
type Access struct {
	ca, cert, key  string // files
	user, password string

	tls *tls.Config // nil: no file was named
}

// Flags declares the flags. What they say is looked at by Read.
func (a *Access) Flags(f *flag.FlagSet) {
	f.StringVar(&a.ca, "etcd-ca", "", "`file` with the certificates of authorities that etcd members at https:// are verified by; empty: the system's")
	f.StringVar(&a.cert, "etcd-cert", "", "`file` with the certificate that etcd members are shown; read again for each connection")
	f.StringVar(&a.key, "etcd-key", "", "`file` with its private key")
}

// Read takes the user from the environment, where a command line would show the
// password to everybody, and reads the files. endpoints are the URLs of members.
func (a *Access) Read(getenv func(string) string, endpoints []string) error {
	a.user, a.password = getenv("UNILB_ETCD_USER"), getenv("UNILB_ETCD_PASSWORD")
	switch {
	case (a.user == "") != (a.password == ""):
		return errors.New("environment variables UNILB_ETCD_USER and UNILB_ETCD_PASSWORD go together: one of them is empty")
	case (a.cert == "") != (a.key == ""):
		return errors.New("--etcd-cert and --etcd-key go together: one of them is empty")
	case a.ca == "" && a.cert == "":
		return nil
	}
	for _, e := range endpoints {
		if !strings.HasPrefix(e, "https://") {
			return fmt.Errorf("--etcd %s: with --etcd-ca or --etcd-cert members must be at https://", e)
		}
	}
	a.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if a.ca != "" {
		b, err := os.ReadFile(a.ca)
		if err != nil {
			return fmt.Errorf("--etcd-ca: %w", err)
		}
		a.tls.RootCAs = x509.NewCertPool()
		if !a.tls.RootCAs.AppendCertsFromPEM(b) {
			return fmt.Errorf("--etcd-ca: %s holds no certificate", a.ca)
		}
	}
	if a.cert != "" {
		if _, err := a.pair(nil); err != nil {
			return fmt.Errorf("--etcd-cert: %w", err)
		}
		a.tls.GetClientCertificate = a.pair
	}
	return nil
}

// pair reads the certificate, which somebody may have renewed, and its key.
func (a *Access) pair(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(a.cert, a.key)
	if err != nil {
		return nil, fmt.Errorf("read %s and %s: %w", a.cert, a.key, err)
	}
	return &pair, nil
}

// Options are those for a store at these endpoints.
func (a *Access) Options(endpoints []string, log *slog.Logger) store.Options {
	return store.Options{Endpoints: endpoints, TLS: a.tls, User: a.user, Password: a.password, Log: log}
}
