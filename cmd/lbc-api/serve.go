package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/lbc"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

const (
	// Limits of one connection, against clients that stall. There is none on
	// answers: a client may wait a minute for an operation.
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	idleTimeout   = 120 * time.Second
	// drainTimeout is how long requests may take to end after SIGTERM. Who waits
	// for an operation longer can ask another replica.
	drainTimeout = 10 * time.Second
	// resolveTimeout bounds name look-ups.
	resolveTimeout = 5 * time.Second
)

// serve runs until ctx ends or the listener fails.
func serve(ctx context.Context, o *options, log *slog.Logger) error {
	st, err := store.Open(o.access.Options(o.etcd, log))
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	leases, err := store.Dial(o.access.Options(o.etcd, log))
	if err != nil {
		return fmt.Errorf("open etcd for leases: %w", err)
	}
	defer func() { _ = leases.Close() }()
	rctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	infrastructure, err := node.HostAddresses(rctx, append(slices.Clone(o.etcd), o.adminURL)...)
	cancel()
	if err != nil {
		return err // without its address it cannot be protected from tenants
	}
	addresses, err := ownAddresses()
	if err != nil {
		return err
	}
	service, err := lbc.New(lbc.Options{
		Store: st, Etcd: leases, Node: o.node, AdminURL: o.adminURL, AdminKey: o.adminKey, APIKey: o.apiKey,
		AdminVIP: o.adminVIP, Pool: o.pool, Drain: o.drain, Quarantine: o.quarantine, MappingWait: o.mappingWait,
		EIPRanges: o.eipRanges, Protect: o.protect, Infrastructure: infrastructure,
		Addresses: addresses, Log: log,
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("API listener: %w", err)
	}
	server := &http.Server{
		Handler: service.Handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout,
	}
	defer func() { _ = server.Close() }()
	failed := make(chan error, 1)
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", o.listen, err)
		}
	}()

	// Publication goes on while requests drain.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { _ = service.Run(background) })
	wg.Go(func() { begin(ctx, service, log) })

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("draining")
	_ = obs.Stopping() // informative only
	dctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := server.Shutdown(dctx); err != nil {
		log.Warn("requests were cut", obs.Err, err)
	}
	return nil
}

// ownAddresses are the IPv4 addresses of this machine.
func ownAddresses() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list the addresses of this machine: %w", err)
	}
	var own []netip.Addr
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			own = append(own, p.Addr())
		}
	}
	return own, nil
}

// begin tells readiness once etcd answered and the VIP of the Admin API is
// written: without that VIP no replica can publish anything.
func begin(ctx context.Context, service *lbc.Service, log *slog.Logger) {
	if err := service.Loaded(ctx); err != nil {
		return
	}
	if err := service.EnsureAdminVIP(ctx); err != nil {
		return
	}
	log.Info("serving", "version", obs.Version())
	if err := obs.Ready(); err != nil {
		log.Warn("readiness not reported", obs.Err, err)
	}
}
