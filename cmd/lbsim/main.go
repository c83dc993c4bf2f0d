// Command lbsim builds networks of namespaces, breaks them, and judges the load
// balancers inside. It holds flags, wiring and exit codes; labs live in sim/lab,
// and the process that owns one in sim/lab/supervisor.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
)

func main() {
	sandbox.Init()
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return codeGood
	}
	code := codeOf(ctx, err)
	var quiet *exitError
	if !errors.As(err, &quiet) || quiet.err != nil {
		fmt.Fprintln(os.Stderr, "lbsim:", err)
	}
	return code
}
