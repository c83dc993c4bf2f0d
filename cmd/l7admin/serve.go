package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/certs/files"
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
	n := node.New(reg, st, node.Options{Log: log})

	failed := make(chan error, 3)
	status, err := listen(o.statusListen, n.Handler(), nil, log, failed)
	if err != nil {
		return fmt.Errorf("status listener: %w", err)
	}
	defer func() { _ = status.Close() }()
	servers, err := listenAdmin(ctx, o, api, failed, log)
	for _, s := range servers {
		defer func() { _ = s.Close() }()
	}
	if err != nil {
		return err
	}

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
	drain(servers, n, o, log)
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
func drain(servers []*http.Server, n *node.Node, o *options, log *slog.Logger) {
	log.Info("draining")
	_ = obs.Stopping() // informative only
	n.SetState(node.Draining)
	time.Sleep(o.drainDelay) // nobody can tell us that all probes have seen it
	ctx, cancel := context.WithTimeout(context.Background(), o.drain)
	defer cancel()
	var wg sync.WaitGroup
	for _, server := range servers {
		wg.Go(func() {
			if err := server.Shutdown(ctx); err != nil {
				log.Warn("requests were cut", obs.Err, err)
			}
		})
	}
	wg.Wait()
}

// listenAdmin opens the listeners of the Admin API: one, or one with TLS beside it, or
// that alone. After an error it returns those that are open.
func listenAdmin(ctx context.Context, o *options, api http.Handler, failed chan<- error, log *slog.Logger) (open []*http.Server, err error) {
	if o.listen != "" {
		s, err := listen(o.listen, api, nil, log, failed)
		if err != nil {
			return nil, fmt.Errorf("admin listener: %w", err)
		}
		open = append(open, s)
	}
	if o.listenTLS == "" {
		return open, nil
	}
	s, err := listen(o.listenTLS, api, o.pair.Config(log), log, failed)
	if err != nil {
		return open, fmt.Errorf("admin listener with TLS: %w", err)
	}
	reloadOnHangup(ctx, o.pair, log)
	return append(open, s), nil
}

// reloadOnHangup reads the files again on SIGHUP, until ctx ends: for who wants to know
// at once whether new ones are right.
func reloadOnHangup(ctx context.Context, keys *files.Files, log *slog.Logger) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangup)
		for {
			select {
			case <-hangup:
			case <-ctx.Done():
				return
			}
			if err := keys.Reload(); err != nil {
				log.Error("certificate not renewed", obs.Err, err)
				continue
			}
			log.Info("certificate read again")
		}
	}()
}

// listen serves at an address; keys nil: without TLS.
func listen(addr string, h http.Handler, keys *tls.Config, log *slog.Logger, failed chan<- error) (*http.Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	if keys != nil {
		l = tls.NewListener(l, keys)
	}
	s := &http.Server{
		Addr: l.Addr().String(), Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // whoever fails handshakes could fill it
	}
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", addr, err)
		}
	}()
	return s, nil
}
