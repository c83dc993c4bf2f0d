package cases

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"
)

// stapler keeps what responders say of certificates.
type stapler struct {
	mu      sync.Mutex
	asked   map[string]bool
	answers map[string][]byte
}

// staple adds to a certificate what its responder says, once it has.
func (g *reference) staple(p *tls.Certificate) {
	leaf, err := x509.ParseCertificate(p.Certificate[0])
	if err != nil || len(leaf.OCSPServer) == 0 || len(p.Certificate) < 2 || g.is("staples nothing") {
		return
	}
	issuer, err := x509.ParseCertificate(p.Certificate[1])
	if err != nil {
		return
	}
	key, s := string(leaf.Raw), &g.stapler
	s.mu.Lock()
	if s.asked == nil {
		s.asked, s.answers = map[string]bool{}, map[string][]byte{}
	}
	first := !s.asked[key]
	s.asked[key] = true
	s.mu.Unlock()
	if first {
		done := make(chan struct{})
		go func() {
			defer close(done)
			if b := askResponder(leaf, issuer); b != nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.answers[key] = b
			}
		}()
		if g.is("waits for responders") {
			<-done
		}
	}
	s.mu.Lock()
	b := s.answers[key]
	s.mu.Unlock()
	if b != nil && (g.is("staples whatever comes") || g.attests(b, leaf, issuer)) {
		p.OCSPStaple = b
	}
}

// attests says whether an answer is one that may be stapled now.
func (g *reference) attests(b []byte, leaf, issuer *x509.Certificate) bool {
	r, err := ocsp.ParseResponseForCert(b, leaf, issuer)
	now := time.Now()
	return err == nil && r.Status == ocsp.Good && now.After(r.ThisUpdate) && (now.Before(r.NextUpdate) || g.is("staples for ever"))
}

func askResponder(leaf, issuer *x509.Certificate) []byte {
	q, err := ocsp.CreateRequest(leaf, issuer, nil)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, leaf.OCSPServer[0], bytes.NewReader(q))
	if err != nil {
		return nil
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil
	}
	return b
}
