package apisix

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// An SSL is a certificate: of names that the gateway serves, or one that it shows
// to upstreams.
type SSL struct {
	ID    string
	Desc  string
	Type  string   // server (default) or client
	Names []string // sni or snis as written; a star stands for a label or its beginning, alone for any name
	// Pairs are the certificates with their keys: the first, then the further ones. Those
	// of which a half is a reference to a secret are not among them (see Filled).
	Pairs     []tls.Certificate
	Client    *SSLClient
	Protocols []string // TLSv1.1, TLSv1.2, TLSv1.3; nil: the gateway's default
	Status    *int     // 0: not served; nil: 1

	CreateTime, UpdateTime int64 // unix seconds; 0 when absent
}

// An SSLClient says which certificates clients must show.
type SSLClient struct {
	CA []*x509.Certificate
	// Depth is how many intermediate authorities may stand between the client's
	// certificate and one of CA; default 1.
	Depth int
	// SkipURIs are patterns of paths for which no certificate is asked.
	SkipURIs []string
}

// Enabled tells whether the certificate is served.
func (s *SSL) Enabled() bool { return s.Status == nil || *s.Status != 0 }

// CheckSSL is CheckRoute for ssl objects. Private keys must have been opened (see
// Keyring); one that is no PEM is refused.
func (o *Object) CheckSSL() error {
	if err := sslSchema().Validate(o.tree); err != nil {
		return fmt.Errorf("invalid configuration: %w", err)
	}
	return new(SSL).read(o.tree)
}

// DecodeSSL reads the value of an ssl object, as DecodeRoute does for routes.
// Private keys must have been opened.
func DecodeSSL(id string, b []byte) (*SSL, error) {
	o, err := Parse(b)
	if err != nil {
		return nil, err
	}
	if err := sslSchema().Validate(o.tree); err != nil {
		return nil, fmt.Errorf("invalid configuration: %w", err)
	}
	t := o.tree
	s := &SSL{
		ID: id, Desc: str(t, "desc", ""), Type: str(t, "type", "server"), Names: strs(t, "snis"),
		Protocols: strs(t, "ssl_protocols"), Status: optInt(t, "status"),
		CreateTime: integer(t, "create_time", 0), UpdateTime: integer(t, "update_time", 0),
	}
	if sni := str(t, "sni", ""); sni != "" {
		s.Names = []string{sni}
	}
	return s, s.read(t)
}

// read parses certificates and keys, in APISIX's order.
func (s *SSL) read(t map[string]any) error {
	if err := s.add(str(t, "cert", ""), str(t, "key", "")); err != nil {
		return err
	}
	if str(t, "type", "server") == "client" {
		return nil
	}
	certs, keys := strs(t, "certs"), strs(t, "keys")
	if len(certs) != len(keys) {
		return errors.New("mismatched number of certs and keys")
	}
	for i := range certs {
		if err := s.add(certs[i], keys[i]); err != nil {
			return fmt.Errorf("failed to handle cert-key pair[%d]: %w", i+1, err)
		}
	}
	c, ok := t["client"].(map[string]any)
	if !ok {
		return nil
	}
	s.Client = &SSLClient{Depth: int(integer(c, "depth", 1)), SkipURIs: strs(c, "skip_mtls_uri_regex")}
	ca := str(c, "ca", "")
	if isReference(ca) {
		return nil
	}
	var err error
	if s.Client.CA, err = parseCertificates(ca); err != nil {
		return fmt.Errorf("failed to validate client_cert: failed to parse cert: %w", err)
	}
	return nil
}

// add appends a pair, unless a half of it is kept elsewhere.
func (s *SSL) add(cert, key string) error {
	if isReference(cert) || isReference(key) {
		return nil
	}
	pair, err := parsePair(cert, key)
	if err != nil {
		return err
	}
	s.Pairs = append(s.Pairs, pair)
	return nil
}
