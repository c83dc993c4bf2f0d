package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/obs"
)

// startTimeout bounds the wait for a child to be ready.
const startTimeout = 30 * time.Second

// serveStandalone runs etcd and the Admin API as children, and the gateway in
// this process.
func serveStandalone(ctx, hard context.Context, o *options, log *slog.Logger) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own binary: %w", err)
	}
	for _, name := range []string{"unilb-etcd", "l7admin"} {
		if _, err := os.Stat(filepath.Join(filepath.Dir(self), name)); err != nil {
			return fmt.Errorf("--standalone needs %s beside %s: %w", name, self, err)
		}
	}
	// A path short enough for a Unix socket, whatever --data-dir is.
	sweepRunDirs(os.TempDir(), o.dataDir, log)
	run, release, err := makeRunDir(os.TempDir())
	if err != nil {
		return err
	}
	defer func() {
		if err := release(); err != nil {
			log.Warn("directory not removed", "path", run, obs.Err, err)
		}
	}()
	if o.dataDir == "" {
		o.dataDir = filepath.Join(run, "etcd")
	}
	if o.adminKey == "" {
		o.adminKey = randomKey()
	}
	kids := newChildren(filepath.Dir(self), run, log)
	defer kids.stop()
	if err := startChildren(ctx, kids, o); err != nil {
		if ctx.Err() != nil {
			return nil // a signal while starting
		}
		return err
	}
	o.ready = func() { greet(o) }
	// A child that ends by itself takes us with it.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case err := <-kids.died:
			cancel(err)
		case <-ctx.Done():
		}
	}()
	if err := serve(ctx, hard, o, log); err != nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func startChildren(ctx context.Context, kids *children, o *options) error {
	client, peer, status, err := freePorts()
	if err != nil {
		return err
	}
	o.etcd = []string{"http://" + client}
	err = kids.start(ctx, "unilb-etcd", nil, "--name", "standalone", "--data-dir", o.dataDir,
		"--listen-client", o.etcd[0], "--listen-peer", "http://"+peer, "--log-level", "error")
	if err != nil {
		return err
	}
	return kids.start(ctx, "l7admin", []string{"UNILB_ADMIN_KEY=" + o.adminKey}, "--node", "standalone-admin",
		"--etcd", o.etcd[0], "--prefix", o.prefix, "--listen", o.adminListen, "--config-provider", o.provider, "--status-listen", status,
		"--drain-delay", "0s", "--drain-timeout", "2s", "--log-level", "warn")
}

// freePorts returns three addresses on loopback that nobody uses. They may be
// taken before the child binds them; the child then says so and we end.
func freePorts() (a, b, c string, err error) {
	var out [3]string
	for i := range out {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", "", fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = ln.Close() }() // held until all three are known
		out[i] = ln.Addr().String()
	}
	return out[0], out[1], out[2], nil
}

func randomKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // documented to never fail
	return hex.EncodeToString(b[:])
}

// greet prints commands to paste. Their backend is our own status listener,
// so that they work where nothing else runs.
func greet(o *options) {
	api := fmt.Sprintf("http://%s/apisix/admin", local(o.adminListen))
	hello := fmt.Sprintf(`{"uri":"/*","upstream":{"nodes":{"%s":1}}}`, local(o.statusListen))
	key := "-H 'X-API-KEY: " + o.adminKey + "'"
	put, remove := fmt.Sprintf("-X PUT %s/routes/hello %s -d '%s'", api, key, hello), fmt.Sprintf("-X DELETE %s/routes/hello %s", api, key)
	if o.provider == "yaml" {
		put = fmt.Sprintf("-X PUT %s/configs %s -H 'X-Digest: 1' -d '{\"routes\":[%s]}'", api, key, hello)
		remove = fmt.Sprintf("-X PUT %s/configs %s -H 'X-Digest: 2' -d '{}'", api, key)
	}
	fmt.Printf(`l7gw serves %s, Admin API on %s. Try:

  curl %s
  curl -i http://%s/status
  curl %s

`, strings.Join(o.listen, ", "), o.adminListen, put, local(o.listen[0]), remove)
}

// local is a listener's address as a client on this machine reaches it.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}
