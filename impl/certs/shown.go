package certs

import (
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"fmt"
)

// Verified is what nginx says of the certificate of the client: NONE when it has shown
// none, SUCCESS, or FAILED: with the reason. It is about what was demanded when Admits looked
// last; a certificate that nobody has demanded has failed.
func (c *Conn) Verified() string {
	if len(c.peers) == 0 {
		return "NONE"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.auth == nil:
		return "FAILED:nobody has asked for it"
	case c.wrong != nil:
		return "FAILED:" + c.wrong.Error()
	}
	return "SUCCESS"
}

// A Shown is the certificate of a client as nginx tells of it, believed or not.
type Shown struct {
	Subject, Issuer string // names as RFC 2253 writes them
	Serial          string // in hexadecimal digits, as many as its bytes have
	Fingerprint     string // SHA-1, in hexadecimal digits
	Begins, Ends    string // as OpenSSL prints times
}

// Shown is what the client has shown; false: nothing. Names and numbers are of its own
// making unless Verified says SUCCESS. It is made once, when it is first asked for.
func (c *Conn) Shown() (Shown, bool) {
	if len(c.peers) == 0 {
		return Shown{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shown == nil {
		c.shown = newShown(c.peers[0])
	}
	return *c.shown, true
}

func newShown(leaf *x509.Certificate) *Shown {
	sum := sha1.Sum(leaf.Raw)
	return &Shown{
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), Serial: serial(leaf), Fingerprint: hex.EncodeToString(sum[:]),
		Begins: leaf.NotBefore.UTC().Format(printed), Ends: leaf.NotAfter.UTC().Format(printed),
	}
}

// printed is how OpenSSL prints a time.
const printed = "Jan _2 15:04:05 2006 GMT"

func serial(c *x509.Certificate) string {
	if len(c.SerialNumber.Bytes()) == 0 {
		return "00"
	}
	return fmt.Sprintf("%X", c.SerialNumber.Bytes())
}
