// Command unilb-etcd runs one member of the region's etcd cluster.
//
// It owns nothing but flags: the server is etcd's own, embedded, with settings
// that suit the other processes. It exits with 0 after SIGTERM or SIGINT, 3 when
// its flags are wrong and 1 when it failed; a second signal ends it at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/unilb/unilb/impl/obs"
)

const (
	exitFailed   = 1
	exitBadFlags = 3
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "unilb-etcd:", err)
		return exitBadFlags
	}
	log, err := obs.Logger(os.Stderr, o.logLevel)
	if err != nil {
		fmt.Fprintln(os.Stderr, "unilb-etcd:", err)
		return exitBadFlags
	}
	cfg, err := o.config()
	if err != nil {
		fmt.Fprintln(os.Stderr, "unilb-etcd:", err)
		return exitBadFlags
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(exitFailed)
	}()
	if err := serve(ctx, cfg, log.With(obs.Node, o.name)); err != nil {
		log.Error("etcd failed", obs.Node, o.name, obs.Err, err)
		return exitFailed
	}
	return 0
}

// serve runs the member until ctx ends.
func serve(ctx context.Context, cfg *embed.Config, log *slog.Logger) error {
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return fmt.Errorf("start member: %w", err)
	}
	defer stop(e, log)
	ready := e.Server.ReadyNotify()
	for {
		select {
		case <-ready:
			ready = nil
			log.Info("member serves", "client", e.Clients[0].Addr().String(), "version", obs.Version())
			if err := obs.Ready(); err != nil {
				log.Warn("readiness not reported", obs.Err, err)
			}
		case err := <-e.Err():
			return fmt.Errorf("serve: %w", err)
		case <-e.Server.StopNotify():
			return errors.New("serve: member stopped by itself")
		case <-ctx.Done():
			log.Info("member stops")
			_ = obs.Stopping() // nobody is left to tell about a failure
			return nil
		}
	}
}

// stopTimeout bounds how long clients may take to leave. etcd itself would wait
// for the end of every watch, which never comes.
const stopTimeout = 3 * time.Second

// stop hands over leadership and closes the member.
func stop(e *embed.Etcd, log *slog.Logger) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		e.Close()
	}()
	select {
	case <-closed:
	case <-time.After(stopTimeout):
		log.Info("clients are still connected")
		e.Server.Stop() // leadership, log and database; the process's end closes connections
	}
}
