package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

const (
	// Limits of one connection, against clients that stall.
	headerTimeout = 10 * time.Second
	bodyTimeout   = 60 * time.Second
	idleTimeout   = 120 * time.Second
	// initPause separates attempts to write the placeholders at start.
	initPause = time.Second
)

// serve runs until ctx ends or a listener fails.
func serve(ctx context.Context, o *options, log *slog.Logger) error {
	st, err := store.Open(o.access.Options(o.etcd, log))
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	if o.everybodys {
		log.Warn("private keys and secrets of plugins in etcd are sealed with the keyring that APISIX ships and everybody knows: set UNILB_KEYRING")
	}
	api, err := admin.New(admin.Options{
		Store: &history.Store{Store: st, Objects: o.prefix}, Prefix: o.prefix, Keys: o.keys(), Keyring: o.keyring, PlainSecrets: o.plainSecrets, Log: log,
		Stream: o.stream, Allow: o.allow, NoCORS: o.noCORS, NoVersion: o.noVersion,
		Standalone: o.standalone, MaxConfigs: o.maxConfigs,
	})
	if err != nil {
		return err
	}
	reg, err := o.registration()
	if err != nil {
		return err
	}
	n := node.New(reg, st, log)

	failed := make(chan error, 2)
	status, err := listen(o.statusListen, n.Handler(), failed)
	if err != nil {
		return fmt.Errorf("status listener: %w", err)
	}
	defer func() { _ = status.Close() }()
	server, err := listen(o.listen, api, failed)
	if err != nil {
		return fmt.Errorf("admin listener: %w", err)
	}
	defer func() { _ = server.Close() }()

	// The node's own business goes on while requests drain.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { _ = n.Run(background) })
	wg.Go(func() { begin(ctx, api, n, log) })
	wg.Go(func() { _ = history.KeepNewest(background, st, o.keep, log) })

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	drain(server, n, o, log)
	return nil
}

// begin makes the node ready once etcd has the placeholders.
func begin(ctx context.Context, api *admin.Handler, n *node.Node, log *slog.Logger) {
	for {
		err := api.InitDirectories(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return
		}
		log.Warn("etcd is not ready", obs.Err, err)
		select {
		case <-time.After(initPause):
		case <-ctx.Done():
			return
		}
	}
	if !n.Serve() {
		return // drain was faster
	}
	log.Info("serving", "version", obs.Version())
	if err := obs.Ready(); err != nil {
		log.Warn("readiness not reported", obs.Err, err)
	}
}

// drain lets whoever spreads connections notice, and then requests end.
func drain(server *http.Server, n *node.Node, o *options, log *slog.Logger) {
	log.Info("draining")
	_ = obs.Stopping() // informative only
	n.SetState(node.Draining)
	time.Sleep(o.drainDelay) // nobody can tell us that all probes have seen it
	ctx, cancel := context.WithTimeout(context.Background(), o.drain)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		log.Warn("requests were cut", obs.Err, err)
	}
}

func listen(addr string, h http.Handler, failed chan<- error) (*http.Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout,
	}
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", addr, err)
		}
	}()
	return s, nil
}
