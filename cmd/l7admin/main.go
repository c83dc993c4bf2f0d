// Command l7admin serves the Admin API over etcd.
//
// It owns flags, listeners and the order of start and end; the API is in
// impl/admin. It exits with 0 after SIGTERM or SIGINT, 3 when its flags are wrong
// and 1 when it failed; a second signal ends it at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/unilb/unilb/impl/obs"
)

const (
	exitFailed   = 1
	exitBadFlags = 3
)

func main() { os.Exit(run(os.Args[1:], os.Getenv)) }

func run(args []string, getenv func(string) string) int {
	o, err := parse(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "l7admin:", err)
		return exitBadFlags
	}
	log, err := obs.Logger(os.Stderr, o.logLevel)
	if err != nil {
		fmt.Fprintln(os.Stderr, "l7admin:", err)
		return exitBadFlags
	}
	log = log.With(obs.Node, o.node)
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
	if err := serve(ctx, o, log); err != nil {
		log.Error("l7admin failed", obs.Err, err)
		return exitFailed
	}
	return 0
}
