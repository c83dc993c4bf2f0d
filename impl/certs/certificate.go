package certs

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/expr"
)

// A Spec is what a certificate is compiled from.
type Spec struct {
	ID string
	// Names that it is served for: a whole name; one that begins with a star,
	// which stands for one label or its beginning; or a star alone, for any name.
	Names []string
	// Pairs are chains with their keys, of which each client gets one that it can
	// use.
	Pairs []tls.Certificate
	// Protocols are TLSv1.1, TLSv1.2, TLSv1.3, without a gap; none: 1.2 and 1.3.
	Protocols []string
	// Client says what clients must show; nil: nothing.
	Client *ClientSpec
	// Age decides between certificates for the same name: the lowest is served,
	// so that nobody takes a name that somebody has.
	Age int64
}

// A ClientSpec says what clients must show.
type ClientSpec struct {
	CA []*x509.Certificate
	// Depth is how many intermediate authorities may stand between a client's
	// certificate and one of CA.
	Depth int
	// Skip are patterns of paths for which nothing need be shown. With any, the
	// handshake asks and the requests decide.
	Skip []string
}

// A Certificate is what one object serves.
type Certificate struct {
	ID     string
	Client *ClientAuth // nil: clients need not show anything

	names    []string
	age      int64
	pairs    []*Pair
	min, max uint16
	// mark differs when anything differs that a resumed session takes over.
	mark [sha256.Size]byte
}

var versions = map[string]uint16{"TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}

// Compile makes a certificate. The pairs must not be changed afterwards.
func Compile(s Spec) (*Certificate, error) {
	if len(s.Pairs) == 0 {
		return nil, errors.New("no certificate")
	}
	c := &Certificate{ID: s.ID, age: s.Age, min: tls.VersionTLS12, max: tls.VersionTLS13}
	for _, p := range s.Pairs {
		c.pairs = append(c.pairs, &Pair{plain: p})
	}
	for _, n := range s.Names {
		n = strings.ToLower(n)
		if strings.Contains(strings.TrimPrefix(n, "*"), "*") {
			return nil, fmt.Errorf("name %q: a star can only be its first letter", n)
		}
		if !slices.Contains(c.names, n) {
			c.names = append(c.names, n)
		}
	}
	// A signature with an elliptic key costs a fraction of one with RSA: who can
	// use either gets it.
	slices.SortStableFunc(c.pairs, func(a, b *Pair) int { return cost(a.plain) - cost(b.plain) })
	if err := c.limit(s.Protocols); err != nil {
		return nil, err
	}
	if s.Client != nil {
		var err error
		if c.Client, err = newClientAuth(s.Client); err != nil {
			return nil, err
		}
	}
	c.mark = marked(s, c)
	return c, nil
}

func cost(pair tls.Certificate) int {
	if _, ok := pair.PrivateKey.(*rsa.PrivateKey); ok {
		return 1
	}
	return 0
}

// limit sets the versions of TLS.
func (c *Certificate) limit(protocols []string) error {
	if len(protocols) == 0 {
		return nil
	}
	c.min, c.max = tls.VersionTLS13, tls.VersionTLS11
	for _, p := range protocols {
		v, ok := versions[p]
		if !ok {
			return fmt.Errorf("protocol %q is unknown", p)
		}
		c.min, c.max = min(c.min, v), max(c.max, v)
	}
	if int(c.max-c.min)+1 != len(protocols) {
		return errors.New("protocols TLSv1.1 and TLSv1.3 without TLSv1.2 are not supported by this gateway")
	}
	return nil
}

// marked digests chains, versions and what clients must show.
func marked(s Spec, c *Certificate) (sum [sha256.Size]byte) {
	h := sha256.New()
	add := func(b []byte) {
		_ = binary.Write(h, binary.BigEndian, uint32(len(b))) // a hash takes everything
		h.Write(b)
	}
	for _, p := range c.pairs {
		for _, der := range p.plain.Certificate {
			add(der)
		}
		add(nil)
	}
	add([]byte{byte(c.min >> 8), byte(c.min), byte(c.max >> 8), byte(c.max)})
	if s.Client != nil {
		add([]byte("client"))
		add(binary.BigEndian.AppendUint64(nil, uint64(s.Client.Depth)))
		for _, ca := range s.Client.CA {
			add(ca.Raw)
		}
	}
	h.Sum(sum[:0])
	return sum
}

// Pairs are the chains with their keys, the cheapest first. The list must not be
// changed.
func (c *Certificate) Pairs() []*Pair { return c.pairs }

// choose returns the pair for a client: the first that it can use, else the first.
func (c *Certificate) choose(h *tls.ClientHelloInfo) *Pair {
	if len(c.pairs) > 1 {
		able := *h
		able.ServerName = "" // the object says for which names it stands, not the certificate
		for _, p := range c.pairs {
			if able.SupportsCertificate(&p.plain) == nil {
				return p
			}
		}
	}
	return c.pairs[0]
}

// newClientAuth compiles what clients must show.
func newClientAuth(s *ClientSpec) (*ClientAuth, error) {
	if len(s.CA) == 0 {
		return nil, errors.New("no authority for certificates of clients")
	}
	a := &ClientAuth{authorities: x509.NewCertPool(), depth: s.Depth}
	for _, ca := range s.CA {
		a.authorities.AddCert(ca)
	}
	for _, text := range s.Skip {
		found, err := expr.Search(text)
		if err != nil {
			return nil, fmt.Errorf("skip_mtls_uri_regex %q: %w", text, err)
		}
		a.skip = append(a.skip, found)
	}
	return a, nil
}
