// Command l4lb is a node of the L4 cluster: it forwards packets for VIPs to the
// members of their pools by eBPF, and finds out by its own probes who they are.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/unilb/unilb/impl/l4"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 3
)

const (
	// headTimeout bounds how long a client of the status listener may take to ask.
	headTimeout = 5 * time.Second
	// stopTimeout bounds the end of requests to the status listener.
	stopTimeout = time.Second
)

func main() {
	c, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "l4lb:", err)
		os.Exit(exitUsage)
	}
	log, err := obs.Logger(os.Stderr, c.logLevel)
	if err != nil {
		fmt.Fprintln(os.Stderr, "l4lb:", err)
		os.Exit(exitUsage)
	}
	log = log.With(obs.Node, c.node)
	if err := run(c, log); err != nil {
		log.Error("l4lb ends", obs.Err, err)
		os.Exit(exitFailed)
	}
}

func run(c config, log *slog.Logger) error {
	st, err := store.Open(c.access.Options(c.etcd, log))
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }() // nothing is left to be written
	plane, err := l4.OpenDatapath(l4.DatapathOptions{
		PinDir: c.pinDir, Uplink: c.uplink, Underlay: c.underlay, Connections: uint32(c.connections), Log: log,
	})
	if err != nil {
		return err
	}
	defer func() { _ = plane.Close() }() // the kernel forwards on whatever it says
	listener, err := net.Listen("tcp", c.statusListen)
	if err != nil {
		return fmt.Errorf("open status listener: %w", err)
	}
	n := node.New(c.registration(), st, node.Options{Log: log})
	ctl := l4.NewController(l4.ControllerOptions{
		Underlay: c.underlay.String(), Plane: plane, Report: n, Log: log,
		Prober: l4.ProberOptions{
			Probe: l4.HTTPProbe(nil), Interval: c.probeInterval, Timeout: c.probeTimeout,
			Thresholds: l4.Thresholds{Misses: c.probeMisses},
		},
	})
	server := &http.Server{Handler: ctl.Handler(n.Handler(), plane.Counters), ReadHeaderTimeout: headTimeout}
	if err := serve(c, server, listener, n, ctl, st, log); err != nil {
		return err
	}
	if c.removePins {
		return plane.Remove()
	}
	return nil
}

// serve runs everything until it was told to end and has drained. The data path
// forwards throughout and afterwards.
func serve(c config, server *http.Server, listener net.Listener, n *node.Node, ctl *l4.Controller, st *store.Store, log *slog.Logger) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 3) // one for each of the goroutines below
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve status: %w", err)
		}
	})
	defer func() {
		stop, done := context.WithTimeout(context.Background(), stopTimeout)
		defer done()
		if server.Shutdown(stop) != nil {
			_ = server.Close()
		}
	}()
	wg.Go(func() {
		if err := n.Run(ctx); ctx.Err() == nil {
			failed <- err
		}
	})
	wg.Go(func() {
		if err := ctl.Run(ctx, st); ctx.Err() == nil {
			failed <- err
		}
	})
	ready := ctl.Ready()
	for {
		select {
		case <-ready:
			ready = nil
			log.Info("ready")
			if err := obs.Ready(); err != nil {
				log.Warn("service manager not told", obs.Err, err)
			}
		case err := <-failed:
			return err
		case s := <-signals:
			log.Info("draining", "signal", s.String(), "timeout", c.drainTimeout.String())
			ctl.Drain()
			return drained(signals, failed, c.drainTimeout)
		}
	}
}

// drained waits until the router has had time to take the node out. A second
// signal ends the wait.
func drained(signals <-chan os.Signal, failed <-chan error, timeout time.Duration) error {
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case <-t.C:
	case <-signals:
	case err := <-failed:
		return err
	}
	return nil
}
