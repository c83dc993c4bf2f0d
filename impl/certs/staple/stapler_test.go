package staple

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/certs/certstest"
)

func compiled(t *testing.T, id, name string, pairs ...tls.Certificate) *certs.Certificate {
	t.Helper()
	c, err := certs.Compile(certs.Spec{ID: id, Names: []string{name}, Pairs: pairs})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pairOf(t *testing.T, pair tls.Certificate) *certs.Pair {
	t.Helper()
	return compiled(t, "a", "a.example", pair).Pairs()[0]
}

// desk is a stapler that runs in a bubble, and the responder of its authority.
type desk struct {
	*Stapler
	t   *testing.T
	ca  *certstest.Authority
	log bytes.Buffer

	mu     sync.Mutex
	valid  time.Duration // of answers
	status int
	err    error // instead of an answer
	asked  []time.Time
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, ca: certstest.NewAuthority(t).Below(), valid: time.Hour}
	d.Stapler = New(Options{All: true, Fetch: d.answer, Jitter: func() float64 { return 0.5 }, Log: slog.New(slog.NewTextHandler(&d.log, nil))})
	d.run()
	return d
}

func (d *desk) run() {
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan struct{})
	go func() { d.Run(ctx); close(done) }()
	d.t.Cleanup(func() { cancel(); <-done })
}

func (d *desk) answer(_ context.Context, _ *url.URL, request []byte) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.asked = append(d.asked, now)
	r, err := ocsp.ParseRequest(request)
	if err != nil || d.err != nil {
		return nil, errors.Join(err, d.err)
	}
	return d.ca.Says(ocsp.Response{Status: d.status, SerialNumber: r.SerialNumber, ThisUpdate: now, NextUpdate: now.Add(d.valid), RevokedAt: now}), nil
}

// says changes what the responder answers from now on.
func (d *desk) says(status int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status, d.err, d.asked = status, err, nil
}

// waits are the times between what was asked since says.
func (d *desk) waits() (out []time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := 1; i < len(d.asked); i++ {
		out = append(out, d.asked[i].Sub(d.asked[i-1]))
	}
	return out
}

func (d *desk) issue(name string) tls.Certificate {
	return d.ca.IssueWith(name, certstest.Elliptic(d.t), certstest.Responder("http://r.example"))
}

// after is the end of the answer that is stapled in a handshake after a while, from
// now; 0: none is.
func (d *desk) after(wait time.Duration, c *certs.Certificate) time.Duration {
	d.t.Helper()
	<-time.After(wait)
	synctest.Wait()
	raw := stapledTo(d.t, c)
	if raw == nil {
		return 0
	}
	r, err := ocsp.ParseResponse(raw, d.ca.Cert)
	if err != nil || r.Status != ocsp.Good {
		d.t.Fatalf("stapled: %+v, %v", r, err)
	}
	return time.Until(r.NextUpdate)
}

// stapledTo is what a client gets in a handshake.
func stapledTo(t *testing.T, c *certs.Certificate) []byte {
	t.Helper()
	s := certs.NewServer(certs.Options{Fallback: "a.example", Now: time.Now}, time.Now())
	s.Use((&certs.Table{}).With(c))
	near, far := net.Pipe()
	defer near.Close()
	done := make(chan struct{})
	go func() { defer close(done); defer far.Close(); _ = tls.Server(far, s.Config()).Handshake() }()
	cc := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	if err := cc.Handshake(); err != nil {
		t.Fatal(err)
	}
	<-done
	return cc.ConnectionState().OCSPResponse
}
