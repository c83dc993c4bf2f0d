package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/unilb/unilb/tools/bench/stage"
)

// adminKey is known to this run alone: the sandbox has a network of its own.
const adminKey = "bench"

// Where things listen.
const (
	etcdURL     = "http://127.0.0.1:18100"
	etcdPeer    = "http://127.0.0.1:18101"
	adminAt     = "127.0.0.1:18110"
	adminStatus = "127.0.0.1:18111"
	relayAt     = "127.0.0.1:18102"
	responderAt = "127.0.0.1:18120"
	firstPort   = 18200 // of gateways: data, and one more for the status
	prefix      = "/apisix"
)

// lab is one etcd member with all routes, one Admin API, and gateways as they are needed.
type lab struct {
	*bench
	etcd     *clientv3.Client
	store    *stage.Process
	admin    *stage.Process
	client   *adminClient
	gateways map[string]*gateway
	ports    int
	revision int64 // of the last route
	stored   int64 // bytes of all routes
	more     int   // routes for the load
}

// A gateway runs in a group of its own.
type gateway struct {
	name, group  string
	data, status string // where it listens
	process      *stage.Process
	cpu          time.Duration // of its start, until all routes were in force
}

func openLab(ctx context.Context, b *bench) (*lab, error) {
	l := &lab{bench: b, gateways: map[string]*gateway{}, client: &adminClient{keptAlive(nil), adminAt, adminKey}}
	var err error
	if l.store, err = b.keep("unilb-etcd", "lab", nil, "unilb-etcd", "--name=bench", "--data-dir="+filepath.Join(b.dir, "etcd"),
		"--listen-client="+etcdURL, "--listen-peer="+etcdPeer, "--log-level=error"); err != nil {
		return l, err
	}
	const within = 20 * time.Second
	if err := l.store.Await(ctx, within, func(ctx context.Context) error { return stage.Succeeds(ctx, etcdURL+"/health") }); err != nil {
		return l, err
	}
	if l.etcd, err = clientv3.New(clientv3.Config{Endpoints: []string{etcdURL}, Logger: zap.NewNop()}); err != nil {
		return l, err
	}
	if err := l.startAdmin(ctx); err != nil {
		return l, err
	}
	if err := l.likeTheAdminAPI(ctx); err != nil {
		return l, err
	}
	start := time.Now()
	if l.revision, l.stored, err = fill(ctx, l.etcd, b.routes); err != nil {
		return l, err
	}
	fmt.Fprintf(b.log, "(%d routes in %.1f s) ", b.routes, time.Since(start).Seconds())
	return l, nil
}

// startAdmin starts the Admin API, or another one when it runs.
func (l *lab) startAdmin(ctx context.Context) (err error) {
	if l.admin != nil {
		l.admin.Stop()
	}
	l.admin, err = l.keep("l7admin", "lab", []string{"UNILB_ADMIN_KEY=" + adminKey}, "l7admin", "--node=bench/admin", "--etcd="+etcdURL, "--prefix="+prefix,
		"--listen="+adminAt, "--status-listen="+adminStatus, "--drain-delay=0s", "--drain-timeout=1s", "--log-level=warn")
	if err != nil {
		return err
	}
	const within = 20 * time.Second
	return l.admin.Await(ctx, within, func(ctx context.Context) error { return stage.Succeeds(ctx, "http://"+adminStatus+"/status/ready") })
}

// gateway returns the gateway of that name, and starts it when it does not run.
func (l *lab) gateway(ctx context.Context, name string, flags ...string) (*gateway, error) {
	if g := l.gateways[name]; g != nil {
		return g, nil
	}
	port := firstPort + 10*l.ports
	l.ports++
	g := &gateway{name: name, group: "gw-" + name, data: fmt.Sprintf("127.0.0.1:%d", port), status: fmt.Sprintf("127.0.0.1:%d", port+1)}
	args := []string{"--node=bench/" + name, "--etcd=" + etcdURL, "--prefix=" + prefix, "--listen=" + g.data, "--status-listen=" + g.status,
		"--drain-delay=0s", "--drain-timeout=1s", "--log-level=warn"}
	var err error
	if g.process, err = l.keep(name, g.group, nil, "l7gw", append(args, flags...)...); err != nil {
		return nil, err
	}
	l.gateways[name] = g
	const within = 4 * time.Minute
	url := fmt.Sprintf("http://%s/status/applied?prefix=%s&revision=%d&timeout=20s", g.status, prefix, l.revision)
	if err := g.process.Await(ctx, within, func(ctx context.Context) error { return stage.Succeeds(ctx, url) }); err != nil {
		return nil, err
	}
	g.cpu, err = l.groups.Usage(g.group)
	return g, err
}

// stop ends a gateway.
func (l *lab) stop(name string) error {
	g := l.gateways[name]
	if g == nil {
		return nil
	}
	delete(l.gateways, name)
	g.process.Stop()
	return l.groups.End(g.group)
}

// stopOthers ends all gateways but the first of the four.
func (l *lab) stopOthers() error {
	var errs []error
	for _, name := range gatewayNames[1:] {
		errs = append(errs, l.stop(name))
	}
	return errors.Join(errs...)
}

// stopAll ends all gateways.
func (l *lab) stopAll() error {
	var errs []error
	for _, name := range slices.Collect(maps.Keys(l.gateways)) {
		errs = append(errs, l.stop(name))
	}
	return errors.Join(errs...)
}

func (l *lab) close() error {
	errs := []error{l.stopAll()}
	if l.admin != nil {
		l.admin.Stop()
	}
	if l.etcd != nil {
		errs = append(errs, l.etcd.Close())
	}
	if l.store != nil {
		l.store.Stop()
	}
	return errors.Join(errs...)
}
