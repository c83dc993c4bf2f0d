package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/unilb/unilb/tools/bench/stage"
)

// control is what a deployment of our gateway has beside the gateway: etcd, and an
// Admin API for each set of routes. It runs on the load's core, outside what is
// measured, and its CPU time counts as ours, not as foreign. Each gateway that is
// measured has its own: listeners belong to everybody who watches a store.
type control struct {
	*bench
	name, dir string
	base      int // ports
	etcd      string
	store     *stage.Process
	sets      map[int]*routeSet
}

// adminKey is known to this run alone: the sandbox has a network of its own.
const adminKey = "bench"

// startControl starts a store without routes.
func (b *bench) startControl(ctx context.Context, name string, number int) (*control, error) {
	c := &control{bench: b, name: name, dir: filepath.Join(b.dir, "control-"+name), base: 18100 + 100*number, sets: map[int]*routeSet{}}
	c.etcd = fmt.Sprintf("http://127.0.0.1:%d", c.base)
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(b.bin, "unilb-etcd"), "--name=bench", "--data-dir="+filepath.Join(c.dir, "etcd"),
		"--listen-client="+c.etcd, fmt.Sprintf("--listen-peer=http://127.0.0.1:%d", c.base+1), "--log-level=error")
	var err error
	if c.store, err = b.spawn.Keep(cmd, "unilb-etcd", c.dir, stage.Place{Group: "lab", CPUs: []int{b.loadCPU}}); err != nil {
		return nil, err
	}
	return c, c.store.Await(ctx, 20*time.Second, func(ctx context.Context) error { return stage.Succeeds(ctx, c.etcd+"/health") })
}

// routes returns the set of n routes; the first call makes it.
func (c *control) routes(ctx context.Context, n int) (*routeSet, error) {
	if s := c.sets[n]; s != nil {
		return s, nil
	}
	port := c.base + 10 + 2*len(c.sets)
	s := &routeSet{n: n, prefix: fmt.Sprintf("/bench%d", n), url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	cmd := exec.Command(filepath.Join(c.bin, "l7admin"), "--node=bench/"+strconv.Itoa(n), "--etcd="+c.etcd, "--prefix="+s.prefix,
		fmt.Sprintf("--listen=127.0.0.1:%d", port), fmt.Sprintf("--status-listen=127.0.0.1:%d", port+1), "--log-level=warn")
	cmd.Env = append(os.Environ(), "UNILB_ADMIN_KEY="+adminKey)
	var err error
	if s.admin, err = c.spawn.Keep(cmd, "l7admin-"+strconv.Itoa(n), c.dir, stage.Place{Group: "lab", CPUs: []int{c.loadCPU}}); err != nil {
		return nil, err
	}
	err = s.admin.Await(ctx, 20*time.Second, func(ctx context.Context) error {
		return stage.Succeeds(ctx, fmt.Sprintf("http://127.0.0.1:%d/status/ready", port+1))
	})
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := c.fill(ctx, s); err != nil {
		return nil, err
	}
	fmt.Fprintf(c.log, "(%s: %d routes in %.1f s) ", c.name, n, time.Since(start).Seconds())
	c.sets[n] = s
	return s, nil
}

// listenTLS gives the gateway a certificate and a TLS listener, as a deployment
// does. lacks is how it was refused; "" when it was not. The revision is that of the
// certificate.
func (c *control) listenTLS(ctx context.Context, s *routeSet, at string) (revision int64, lacks string, _ error) {
	revision, err := s.send(ctx, "ssls/bench", map[string]any{"cert": c.pair.Cert, "key": c.pair.Key, "snis": []string{serverName, "*.example"}})
	var no *refused
	if errors.As(err, &no) {
		return 0, no.Error(), nil
	}
	if err != nil {
		return 0, "", err
	}
	host, port, err := splitPort(at)
	if err != nil {
		return 0, "", err
	}
	value, err := json.Marshal(map[string]any{"id": "bench", "address": host, "port": port, "protocol": "https"})
	if err != nil {
		return 0, "", err
	}
	_, err = c.putKeys(ctx, map[string][]byte{"/unilb/listeners/bench": value})
	return revision, "", err
}

// refusal is what a gateway's status says of the listener; otherwise, what happened.
func refusal(ctx context.Context, status string, otherwise error) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+status+"/status/applied", nil)
	if err != nil {
		return otherwise.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return otherwise.Error()
	}
	defer resp.Body.Close()
	var v struct {
		Errors []struct{ Key, Error string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		return otherwise.Error()
	}
	for _, e := range v.Errors {
		if e.Key == "/unilb/listeners/bench" {
			return e.Error
		}
	}
	return otherwise.Error()
}

func (c *control) stop() {
	for _, s := range c.sets {
		s.admin.Stop()
	}
	if c.store != nil {
		c.store.Stop()
	}
}
