package staple

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"golang.org/x/crypto/ocsp"

	"github.com/unilb/unilb/impl/certs"
)

const (
	// mostResponders bounds the responders of a certificate that are tried.
	mostResponders = 3
	// longestURL bounds the address of a responder, in bytes.
	longestURL = 1024
)

// An order is what is asked for a certificate, of whom.
type order struct {
	key          [sha256.Size]byte // of the certificate
	leaf, issuer *x509.Certificate
	request      []byte
	responders   []*url.URL // tried in turn, one or more
}

var (
	errNoResponder = errors.New("the certificate names no responder that is asked by http or https")
	errNoIssuer    = errors.New("the chain lacks the issuer of the certificate")
)

// newOrder is what to ask for a pair; nil: nothing, because it demands no staple and
// either all is false or it names nobody to ask.
func newOrder(p *certs.Pair, all bool) (*order, error) {
	leaf := p.Leaf()
	if leaf == nil || !demands(leaf) && (!all || len(leaf.OCSPServer) == 0) {
		return nil, nil
	}
	o := &order{key: sha256.Sum256(leaf.Raw), leaf: leaf, responders: respondersOf(leaf), issuer: issuerOf(leaf, p.Chain())}
	if len(o.responders) == 0 {
		return nil, errNoResponder
	}
	if o.issuer == nil {
		return nil, errNoIssuer
	}
	var err error
	if o.request, err = ocsp.CreateRequest(leaf, o.issuer, nil); err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	return o, nil
}

func respondersOf(leaf *x509.Certificate) (out []*url.URL) {
	for _, text := range leaf.OCSPServer {
		u, err := url.Parse(text)
		if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && len(text) <= longestURL && len(out) < mostResponders {
			out = append(out, u)
		}
	}
	return out
}

// issuerOf finds who has signed a certificate in the chain that is served with it.
func issuerOf(leaf *x509.Certificate, chain [][]byte) *x509.Certificate {
	for _, der := range chain[min(1, len(chain)):] {
		if c, err := x509.ParseCertificate(der); err == nil && leaf.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	return nil
}

// The extension by which a certificate demands to be stapled (RFC 7633), and the
// extension of TLS that it demands: status_request.
var tlsFeatures = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}

const statusRequest = 5

// demands tells whether clients shall refuse a certificate without a staple.
func demands(leaf *x509.Certificate) bool {
	for _, e := range leaf.Extensions {
		var features []int
		if !e.Id.Equal(tlsFeatures) {
			continue
		}
		if _, err := asn1.Unmarshal(e.Value, &features); err == nil && slices.Contains(features, statusRequest) {
			return true
		}
	}
	return false
}
