package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// serverName is that of the certificate.
	serverName = "localhost"
	// upWithin is how long the gateway may take until it serves.
	upWithin = 30 * time.Second
	adminKey = "interop-on-loopback"
)

// A gateway is a standalone l7gw with one route to one server.
type gateway struct {
	cmd           *exec.Cmd
	origin        *httptest.Server
	plain, secure int // ports on loopback
	admin         int
}

// startGateway returns when both ports serve the route.
func startGateway(ctx context.Context, bin, out string) (*gateway, error) {
	log, err := os.Create(filepath.Join(out, "l7gw.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	g := &gateway{}
	var status int
	for _, p := range []*int{&g.plain, &g.secure, &g.admin, &status} {
		if *p, err = freePort(); err != nil {
			return nil, err
		}
	}
	// Whoever answers before the request is whole makes judges wait for more.
	g.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what it says of a broken body does not matter
		_, _ = io.WriteString(w, strings.Repeat("interop ", 100))
	}))
	g.cmd = exec.Command(filepath.Join(bin, "l7gw"), "--standalone", "--admin-key", adminKey, "--fallback-sni", serverName,
		"--listen", local(g.plain), "--listen-tls", local(g.secure), "--admin-listen", local(g.admin), "--status-listen", local(status))
	g.cmd.Stdout, g.cmd.Stderr = log, log
	if err := g.cmd.Start(); err != nil {
		g.origin.Close()
		return nil, err
	}
	up, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	if err := g.configure(up); err != nil {
		return nil, errors.Join(fmt.Errorf("%w (see %s)", err, log.Name()), g.stop())
	}
	return g, nil
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// configure gives the gateway a route and a certificate, and waits until it serves.
func (g *gateway) configure(ctx context.Context) error {
	cert, key, err := selfSigned()
	if err != nil {
		return err
	}
	route := map[string]any{"uri": "/*", "upstream": map[string]any{"type": "roundrobin", "nodes": map[string]int{g.origin.Listener.Addr().String(): 1}}}
	for path, object := range map[string]any{"routes/1": route, "ssls/1": map[string]any{"snis": []string{serverName}, "cert": cert, "key": key}} {
		body, err := json.Marshal(object)
		if err != nil {
			return err
		}
		put := func() error {
			return ask(ctx, http.DefaultClient, http.MethodPut, "http://"+local(g.admin)+"/apisix/admin/"+path, body)
		}
		if err := until(ctx, put); err != nil {
			return fmt.Errorf("put %s: %w", path, err)
		}
	}
	blind := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{ServerName: serverName, InsecureSkipVerify: true}}}
	defer blind.CloseIdleConnections()
	for _, url := range []string{"http://" + local(g.plain) + "/", "https://" + local(g.secure) + "/"} {
		if err := until(ctx, func() error { return ask(ctx, blind, http.MethodGet, url, nil) }); err != nil {
			return fmt.Errorf("wait for %s: %w", url, err)
		}
	}
	return nil
}

// until repeats f until it succeeds.
func until(ctx context.Context, f func() error) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

func ask(ctx context.Context, c *http.Client, method, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-API-KEY", adminKey)
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 500)) // for the error only
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s: %s", resp.Status, said)
	}
	return nil
}

func (g *gateway) stop() error {
	defer g.origin.Close()
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return g.cmd.Wait()
}

func selfSigned() (cert, key string, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{serverName}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, k.Public(), k)
	if err != nil {
		return "", "", err
	}
	pk, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return "", "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pk})), nil
}
