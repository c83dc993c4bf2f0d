// Command unilb-etcd runs one member of the region's etcd cluster.
//
// It owns nothing but flags: the server is etcd's own, embedded, with settings
// that suit the other processes. It exits with 0 after SIGTERM or SIGINT, 3 when
// its flags are wrong and 1 when it failed; a second signal ends it at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/unilb/unilb/impl/daemon"
	"github.com/unilb/unilb/impl/obs"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	o, err := parse(args)
	if err != nil {
		return daemon.BadFlags("unilb-etcd", err)
	}
	var cfg *embed.Config
	return daemon.Run(daemon.Program{
		Name: "unilb-etcd", Node: o.name, LogLevel: o.logLevel,
		Check: func() (err error) { cfg, err = o.config(); return err }, // etcd panics at an unknown log level
		Serve: func(ctx context.Context, log *slog.Logger) error { return serve(ctx, cfg, log) },
	})
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
