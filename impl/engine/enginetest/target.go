package enginetest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/unilb/unilb/impl/certs/certstest"
	"github.com/unilb/unilb/impl/exchange"
)

// SelfSigned is a certificate for a name, as certstest makes them.
func SelfSigned(t testing.TB, name string) tls.Certificate {
	t.Helper()
	return certstest.SelfSigned(t, name)
}

// target serves HTTPS with a certificate for a.example and asks its clients for one.
// It answers with the name and the certificate that it was shown, and keeps who
// connected.
func target(t *testing.T) (addr string, roots *x509.CertPool, peers func() int) {
	t.Helper()
	own := SelfSigned(t, "a.example")
	var mu sync.Mutex
	seen := map[string]bool{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.RemoteAddr] = true
		mu.Unlock()
		shown := "-"
		if len(r.TLS.PeerCertificates) > 0 {
			shown = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		fmt.Fprint(w, r.TLS.ServerName, " ", shown)
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert, ClientCAs: x509.NewCertPool()}
	s.TLS.ClientCAs.AddCert(own.Leaf) // nobody whom it knows shows anything
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots = x509.NewCertPool()
	roots.AddCert(own.Leaf)
	return s.Listener.Addr().String(), roots, func() int { mu.Lock(); defer mu.Unlock(); return len(seen) }
}

// askFor sends one request for a host and returns the answer.
func askFor(t *testing.T, addr, host string, h *Handler) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	<-h.Done
	return resp.StatusCode, string(b)
}

func targetIsVerifiedByTheNameThatItIsAskedFor(t *testing.T, start Starter) {
	up, roots, _ := target(t)
	for _, tc := range []struct {
		host  string
		roots *x509.CertPool
		want  int
	}{{"a.example:8443", roots, 200}, {"A.Example", roots, 200}, {"b.example", roots, 502}, {"a.example", nil, 502}} {
		h := NewHandler(up)
		h.tls, h.verify = true, true
		_, addr := start(t, Options{Handler: h, Roots: tc.roots})
		status, body := askFor(t, addr, tc.host, h)
		if f := h.Failures(); status != tc.want || status == 200 && body != "a.example -" || status != 200 && (len(f) != 1 || f[0].Kind != exchange.FailedConnect || f[0].Sent) {
			t.Errorf("%+v: %d %q, failures %+v", tc.host, status, body, f)
		}
	}
}

func connectionsAreKeptForOneClientCertificate(t *testing.T, start Starter) {
	up, _, peers := target(t)
	h := NewHandler(up)
	h.tls = true
	_, addr := start(t, Options{Handler: h})
	one, two := SelfSigned(t, "one"), SelfSigned(t, "two")
	for _, tc := range []struct {
		cert *tls.Certificate
		want string
	}{{nil, "-"}, {&one, "one"}, {&two, "two"}, {&one, "one"}, {nil, "-"}, {&two, "two"}} {
		h.cert.Store(tc.cert)
		if status, body := askFor(t, addr, "a.example", h); status != 200 || body != "a.example "+tc.want {
			t.Errorf("%d %q, want the certificate %s", status, body, tc.want)
		}
	}
	if n := peers(); n != 3 {
		t.Errorf("6 requests with 3 identities used %d connections, want 3", n)
	}
}
