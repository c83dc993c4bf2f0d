package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/unilb/unilb/sim/pki"
)

const (
	// serverName is that of the certificate.
	serverName = "localhost"
	// upWithin is how long the gateway may take until it serves.
	upWithin = 30 * time.Second
	adminKey = "interop-on-loopback"
)

// engineLoop is the engine that serves HTTP/2 to clients.
const engineLoop = "loop"

// A target is where a gateway sends everything.
type target struct {
	address, scheme string
	verify          bool // the certificate, by that of roots
}

// options of a gateway.
type options struct {
	bin    string // folder of the programs
	log    string // file
	engine string
	cert   *pair // of its TLS, and what targets are verified by; nil: it makes one
}

// A gateway is a standalone l7gw with a route for everything to one target, and one to
// a server of our own that tells when both are in force.
type gateway struct {
	cmd           *exec.Cmd
	origin        *httptest.Server
	cert          *pair
	plain, secure int // ports on loopback
	admin         int
}

// startOrigin is a target for judges that bring none.
func startOrigin() *httptest.Server {
	// Whoever answers before the request is whole makes judges wait for more.
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what it says of a broken body does not matter
		_, _ = io.WriteString(w, strings.Repeat("interop ", 100))
	}))
}

// startGateway returns when both ports serve. A target without an address is the
// gateway's own origin.
func startGateway(ctx context.Context, o options, to target) (*gateway, error) {
	log, err := os.Create(o.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	g := &gateway{cert: o.cert}
	if g.cert == nil {
		if g.cert, err = selfSigned(filepath.Dir(o.log)); err != nil {
			return nil, err
		}
	}
	var status int
	for _, p := range []*int{&g.plain, &g.secure, &g.admin, &status} {
		if *p, err = freePort(); err != nil {
			return nil, err
		}
	}
	g.origin = startOrigin()
	if to.address == "" {
		to = target{address: g.origin.Listener.Addr().String(), scheme: "http"}
	}
	g.cmd = exec.Command(filepath.Join(o.bin, "l7gw"), "--standalone", "--admin-key", adminKey, "--fallback-sni", serverName, "--engine", o.engine,
		"--drain-delay", "0s", "--drain-timeout", "2s", "--upstream-ca", g.cert.certFile,
		"--listen", local(g.plain), "--listen-tls", local(g.secure), "--admin-listen", local(g.admin), "--status-listen", local(status))
	g.cmd.Stdout, g.cmd.Stderr = log, log
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // of the thread, which main keeps
	if err := g.cmd.Start(); err != nil {
		g.origin.Close()
		return nil, err
	}
	up, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	if err := g.configure(up, to); err != nil {
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

// configure gives the gateway its routes and a certificate, and waits until it serves.
func (g *gateway) configure(ctx context.Context, to target) error {
	const ready = "/interop-ready"
	type object = map[string]any
	upstream := object{"type": "roundrobin", "scheme": to.scheme, "nodes": map[string]int{to.address: 1}}
	if to.verify {
		upstream["tls"] = object{"verify": true}
	}
	own := object{"type": "roundrobin", "nodes": map[string]int{g.origin.Listener.Addr().String(): 1}}
	for _, put := range []struct {
		path  string
		value any
	}{ // in this order: what is written last is in force last
		{"ssls/1", object{"snis": []string{serverName}, "cert": g.cert.cert, "key": g.cert.key}},
		{"routes/1", object{"uri": "/*", "upstream": upstream}},
		{"routes/ready", object{"uri": ready, "upstream": own}},
	} {
		body, err := json.Marshal(put.value)
		if err != nil {
			return err
		}
		write := func() error {
			return ask(ctx, http.DefaultClient, http.MethodPut, "http://"+local(g.admin)+"/apisix/admin/"+put.path, body)
		}
		if err := until(ctx, write); err != nil {
			return fmt.Errorf("put %s: %w", put.path, err)
		}
	}
	blind := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{ServerName: serverName, InsecureSkipVerify: true}}}
	defer blind.CloseIdleConnections()
	for _, url := range []string{"http://" + local(g.plain) + ready, "https://" + local(g.secure) + ready} {
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

// pair is a certificate with its key, in files, too.
type pair struct{ cert, key, certFile, keyFile string }

// selfSigned makes one for serverName, in a folder.
func selfSigned(dir string) (*pair, error) {
	own, err := pki.SelfSigned(serverName)
	if err != nil {
		return nil, err
	}
	p := &pair{own.Cert, own.Key, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	return p, errors.Join(os.WriteFile(p.certFile, []byte(p.cert), 0o600), os.WriteFile(p.keyFile, []byte(p.key), 0o600))
}
