// Package daemon owns how a program of the control plane begins and ends: its log,
// its signals and its exit codes. It knows nothing of what a program does, and serves
// one program a process.
package daemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/unilb/unilb/impl/obs"
)

// Exit codes.
const (
	ExitFailed   = 1
	ExitBadFlags = 3
)

// A Program is what Run runs.
type Program struct {
	Name     string // of its command
	Node     string // for every line of its log
	LogLevel string // as obs.Logger takes it
	// Check finds what is wrong with the flags once the log level is known to be good;
	// nil: nothing can be.
	Check func() error
	// Serve does the work until ctx ends, and what is left to do then.
	Serve func(ctx context.Context, log *slog.Logger) error

	exit func(code int) // os.Exit when nil
}

// BadFlags tells the user what is wrong with the flags, and returns the exit code for
// it. Who asked for help has got it: that is no mistake.
func BadFlags(name string, err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	return ExitBadFlags
}

// Run serves until the first SIGTERM or SIGINT, or until Serve returns by itself, and
// returns the exit code. A second signal ends the process at once.
func Run(p Program) int {
	log, err := obs.Logger(os.Stderr, p.LogLevel)
	if err == nil && p.Check != nil {
		err = p.Check()
	}
	if err != nil {
		return BadFlags(p.Name, err)
	}
	log = log.With(obs.Node, p.Node)
	if p.exit == nil {
		p.exit = os.Exit
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for _, act := range []func(){cancel, func() { p.exit(ExitFailed) }} {
			select {
			case <-signals:
				act()
			case <-ended:
				return
			}
		}
	}()
	if err := p.Serve(ctx, log); err != nil {
		log.Error("program failed", obs.Err, err)
		return ExitFailed
	}
	return 0
}
