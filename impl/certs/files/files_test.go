package files_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/certs/certstest"
	"github.com/unilb/unilb/impl/certs/files"
)

// place is a directory with the files of a listener.
type place struct {
	t *testing.T
	files.Paths
	log bytes.Buffer
	n   int
}

func newPlace(t *testing.T) *place {
	dir := t.TempDir()
	return &place{t: t, Paths: files.Paths{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), ClientCA: filepath.Join(dir, "ca.pem")}}
}

// put replaces a file as programs do that renew certificates: by another.
func (p *place) put(path, text string) {
	p.t.Helper()
	p.n++
	next := fmt.Sprint(path, p.n)
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) putPair(c tls.Certificate) {
	cert, key := certstest.PEM(p.t, c)
	p.put(p.Cert, cert)
	p.put(p.Key, key)
}

func (p *place) putCA(a *certstest.Authority) { p.put(p.ClientCA, authority(a)) }

func authority(a *certstest.Authority) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Cert.Raw}))
}

// serve is a listener by these files.
func (p *place) serve() (url string, f *files.Files) {
	p.t.Helper()
	f, err := files.Load(p.Paths)
	if err != nil {
		p.t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	s.Listener = tls.NewListener(s.Listener, f.Config(slog.New(slog.NewTextHandler(&p.log, nil))))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	s.Start()
	p.t.Cleanup(s.Close)
	return strings.Replace(s.URL, "http:", "https:", 1), f
}

// ask makes a connection of its own and returns the serial number of the certificate
// that it was shown.
func ask(url string, trust *certstest.Authority, show ...tls.Certificate) (serial string, err error) {
	roots := x509.NewCertPool()
	roots.AddCert(trust.Cert)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "admin.example", Certificates: show}, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && string(body) != "HTTP/1.1" {
		err = fmt.Errorf("served %q, want HTTP/1.1", body)
	}
	return resp.TLS.PeerCertificates[0].SerialNumber.String(), err
}

func TestClientsShowACertificateOfTheAuthority(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ours, theirs := certstest.NewAuthority(t), certstest.NewAuthority(t)
	p.putPair(ours.Issue("admin.example", certstest.Elliptic(t)))
	p.putCA(ours)
	url, _ := p.serve()
	mine, foreign := ours.Issue("client", certstest.Elliptic(t)), theirs.Issue("client", certstest.Elliptic(t))
	if _, err := ask(url, ours, mine); err != nil {
		t.Errorf("with a certificate: %v", err)
	}
	if _, err := ask(url, ours); err == nil {
		t.Error("without a certificate: served")
	}
	if _, err := ask(url, ours, foreign); err == nil {
		t.Error("with a certificate of another authority: served")
	}
	if _, err := ask(url, theirs, mine); err == nil {
		t.Error("a client that trusts others took the server")
	}
	p.putCA(theirs)
	if _, err := ask(url, ours, mine); err == nil {
		t.Error("after the authority was replaced: the old one's certificate is still good")
	}
	if _, err := ask(url, ours, foreign); err != nil {
		t.Errorf("after the authority was replaced: %v", err)
	}
}

func TestCertificateIsRenewedWithItsFiles(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.ClientCA = ""
	ca := certstest.NewAuthority(t)
	p.putPair(ca.Issue("admin.example", certstest.Elliptic(t)))
	url, f := p.serve()
	first, err := ask(url, ca)
	if err != nil {
		t.Fatal(err)
	}
	next := ca.Issue("admin.example", certstest.Elliptic(t))
	cert, key := certstest.PEM(t, next)
	p.put(p.Cert, cert)
	if got, err := ask(url, ca); got != first || err != nil {
		t.Errorf("with half of the pair replaced: got %s, %v, want the old %s", got, err, first)
	}
	if !strings.Contains(p.log.String(), p.Cert) || !strings.Contains(p.log.String(), "want a certificate and its private key") {
		t.Errorf("the log says %q, want which files are wrong and what to do", p.log.String())
	}
	said := p.log.Len()
	if _, err := ask(url, ca); err != nil || p.log.Len() != said {
		t.Errorf("the same mistake again: %v, the log says %q", err, p.log.String()[said:])
	}
	p.put(p.Key, key)
	if got, err := ask(url, ca); err != nil || got != next.Leaf.SerialNumber.String() {
		t.Errorf("after the renewal: got %s, %v, want %s", got, err, next.Leaf.SerialNumber)
	}
	if err := os.Remove(p.Key); err != nil {
		t.Fatal(err)
	}
	if err := f.Reload(); err == nil {
		t.Error("a file that is not there: read")
	}
	if got, err := ask(url, ca); err != nil || got != next.Leaf.SerialNumber.String() {
		t.Errorf("without the file: got %s, %v, want what was there", got, err)
	}
}

func TestMistakesNameTheFile(t *testing.T) {
	t.Parallel()
	ca := certstest.NewAuthority(t)
	for name, c := range map[string]struct {
		spoil func(p *place)
		want  string
	}{
		"no certificate":    {func(p *place) { p.Cert += ".none" }, "cert.pem.none: no such file"},
		"another key":       {func(p *place) { _, key := certstest.PEM(t, ca.Issue("x", certstest.Elliptic(t))); p.put(p.Key, key) }, "key.pem: tls: private key does not match"},
		"no PEM":            {func(p *place) { p.put(p.Cert, "x") }, "want a certificate and its private key"},
		"a directory":       {func(p *place) { p.Key = filepath.Dir(p.Key) }, "want a file"},
		"nobody is trusted": {func(p *place) { p.put(p.ClientCA, "x") }, "ca.pem holds no certificate"},
	} {
		p := newPlace(t)
		p.putPair(ca.Issue("admin.example", certstest.Elliptic(t)))
		p.putCA(ca)
		c.spoil(p)
		if _, err := files.Load(p.Paths); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
