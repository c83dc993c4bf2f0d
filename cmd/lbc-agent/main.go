// Command lbc-agent keeps the kernel state of one node in step with etcd: on a
// gateway FNAT, tunnels and VIPs, on a server behind L4 the tunnel and VIPs, on a
// hypervisor host the vswitch.
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

	"github.com/unilb/unilb/impl/agent"
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
	// resolveTimeout bounds the look-up of the names of etcd members.
	resolveTimeout = 5 * time.Second
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
		fmt.Fprintln(os.Stderr, "lbc-agent:", err)
		os.Exit(exitUsage)
	}
	log, err := obs.Logger(os.Stderr, c.logLevel)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lbc-agent:", err)
		os.Exit(exitUsage)
	}
	log = log.With(obs.Node, c.agent.Node)
	c.agent.Log = log
	if c.cleanup {
		err = agent.Cleanup(c.agent)
	} else {
		err = run(c, log)
	}
	if err != nil {
		log.Error("lbc-agent ends", obs.Err, err)
		os.Exit(exitFailed)
	}
}

func run(c config, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	st, err := store.Open(c.access.Options(c.etcd, log))
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }() // ends with the process
	rctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	c.agent.Etcd, err = node.HostAddresses(rctx, c.etcd...)
	cancel()
	if err != nil {
		return err // a VIP with an address of etcd would cut this node off
	}
	listener, err := net.Listen("tcp", c.statusListen)
	if err != nil {
		return fmt.Errorf("open status listener: %w", err)
	}
	n := node.New(c.agent.Registration(c.region, c.zone, c.statusURL), st, node.Options{Log: log})
	server := &http.Server{Handler: n.Handler(), ReadHeaderTimeout: headTimeout}
	defer shut(server)
	go func() { _ = server.Serve(listener) }() // ends by shut
	a, err := agent.New(c.agent, st, n, func() {
		n.SetState(node.Serving)
		log.Info("serving")
		if err := obs.Ready(); err != nil {
			log.Warn("readiness not told", obs.Err, err)
		}
	})
	if err != nil {
		return err
	}

	nodeCtx, stopNode := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = n.Run(nodeCtx) }) // ends with nodeCtx; an invalid registration was refused by parse
	defer wg.Wait()
	defer stopNode()
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process now
		n.SetState(node.Draining)
	}()
	err = a.Run(ctx)
	log.Info("the data plane stays in place")
	return err
}

func shut(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close()
	}
}
