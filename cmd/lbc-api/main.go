// Command lbc-api serves the tenant API of a region and publishes what tenants
// ask for.
//
// It owns flags, the listener and the order of start and end; what it serves is
// in impl/lbc. It exits with 0 after SIGTERM or SIGINT, 3 when its flags are wrong
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
		fmt.Fprintln(os.Stderr, "lbc-api:", err)
		return exitBadFlags
	}
	log, err := obs.Logger(os.Stderr, o.logLevel)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lbc-api:", err)
		return exitBadFlags
	}
	log = log.With(obs.Node, o.node)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for _, act := range []func(){cancel, func() { os.Exit(exitFailed) }} {
			select {
			case <-signals:
				act()
			case <-ended:
				return
			}
		}
	}()
	if err := serve(ctx, o, log); err != nil {
		log.Error("lbc-api failed", obs.Err, err)
		return exitFailed
	}
	return 0
}
