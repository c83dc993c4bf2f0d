package staple

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

const (
	// ahead is how far the clock of a responder may be ahead of ours.
	ahead = 5 * time.Minute
	// holds is how long an answer holds that does not say: there is always a newer one
	// then (RFC 6960, 4.2.2.1), and small responders leave it out.
	holds = time.Hour
)

// An answer says that a certificate is good, and from when until when. The zero
// answer says nothing.
type answer struct {
	raw          []byte
	since, until time.Time
}

// errRevoked wraps what a responder, whose word counts, says of a revoked certificate.
var errRevoked = errors.New("the certificate is revoked")

// read takes an answer that is stapled as it is, or says why it is not.
func read(raw []byte, leaf, issuer *x509.Certificate, now time.Time) (answer, error) {
	r, err := ocsp.ParseResponseForCert(raw, leaf, issuer)
	if err != nil {
		return answer{}, err
	}
	if err := entitled(r.Certificate, issuer, now); err != nil {
		return answer{}, err
	}
	a := answer{raw: raw, since: r.ThisUpdate, until: r.NextUpdate}
	if a.until.IsZero() {
		a.until = a.since.Add(holds)
	}
	switch {
	case a.since.After(now.Add(ahead)):
		return answer{}, fmt.Errorf("the answer begins to hold at %s", a.since.UTC().Format(time.RFC3339))
	case !now.Before(a.until):
		return answer{}, fmt.Errorf("the answer has held until %s", a.until.UTC().Format(time.RFC3339))
	case r.Status == ocsp.Revoked:
		return answer{}, fmt.Errorf("%w since %s", errRevoked, r.RevokedAt.UTC().Format(time.RFC3339))
	case r.Status != ocsp.Good:
		return answer{}, errors.New("the responder does not know the certificate")
	}
	return a, nil
}

// entitled says whether who has signed an answer may: the issuer itself (by is nil),
// or somebody of whom it says so (RFC 6960, 4.2.2.2). The library has checked that the
// issuer has signed by, as it has all who have bought a certificate there.
func entitled(by, issuer *x509.Certificate, now time.Time) error {
	if by == nil || bytes.Equal(by.Raw, issuer.Raw) {
		return nil
	}
	if !slices.Contains(by.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return errors.New("the answer is signed with a certificate that is not for answers")
	}
	if now.Before(by.NotBefore) || now.After(by.NotAfter) {
		return errors.New("the answer is signed with a certificate that does not hold now")
	}
	return nil
}
