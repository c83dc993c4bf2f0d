package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs/certstest"
)

// lines is a log whose messages come through a channel.
type lines chan string

func (l lines) Enabled(context.Context, slog.Level) bool { return true }
func (l lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l lines) WithGroup(string) slog.Handler            { return l }
func (l lines) Handle(_ context.Context, r slog.Record) error {
	l <- r.Message
	return nil
}

func (l lines) wait(t *testing.T, want string) {
	t.Helper()
	end := time.After(20 * time.Second)
	for {
		select {
		case got := <-l:
			if got == want {
				return
			}
		case <-end:
			t.Fatalf("the log does not say %q", want)
		}
	}
}

// pair writes a certificate for loopback below dir, and returns its authority.
func pair(t *testing.T, dir string) *certstest.Authority {
	t.Helper()
	ca := certstest.NewAuthority(t)
	cert, key := certstest.PEM(t, ca.Issue("admin.example", certstest.Elliptic(t)))
	for name, text := range map[string]string{"cert": cert, "key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return ca
}

func TestAdminAPIIsServedWithTLSBesideItsOtherListener(t *testing.T) {
	dir := t.TempDir()
	ca := pair(t, dir)
	o, err := parse(strings.Fields("--node a --listen 127.0.0.1:0 --listen-tls 127.0.0.1:0 --tls-cert "+dir+"/cert --tls-key "+dir+"/key"), env)
	if err != nil {
		t.Fatal(err)
	}
	log := make(lines, 100)
	servers, err := listenAdmin(t.Context(), o, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), make(chan error, 2), slog.New(log))
	if err != nil || len(servers) != 2 {
		t.Fatalf("got %d listeners, %v, want two", len(servers), err)
	}
	for _, s := range servers {
		defer s.Close()
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert)
	c := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "admin.example"}, DisableKeepAlives: true}}
	for _, url := range []string{"http://" + servers[0].Addr, "https://" + servers[1].Addr} {
		resp, err := c.Get(url)
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		_ = resp.Body.Close()
	}

	// SIGHUP says whether new files are right, and does not end the process.
	hangUp := func() {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	hangUp()
	log.wait(t, "certificate read again")
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp()
	log.wait(t, "certificate not renewed")
}

func TestFlagsOfTLSGoTogether(t *testing.T) {
	dir := t.TempDir()
	pair(t, dir)
	whole := "--node a --listen-tls :9443 --tls-cert " + dir + "/cert --tls-key " + dir + "/key"
	for args, want := range map[string]string{
		whole + " --listen=":                       "",
		"--node a --listen=":                       "nobody could reach",
		"--node a --tls-cert x --tls-key y":        "are of --listen-tls",
		"--node a --listen-tls :9443":              "needs --tls-cert and --tls-key",
		whole + " --tls-client-ca " + dir + "/ca":  dir + "/ca: no such file",
		whole + " --tls-client-ca " + dir + "/key": "holds no certificate",
	} {
		_, err := parse(strings.Fields(args), env)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", args, err, want)
		}
	}
}
