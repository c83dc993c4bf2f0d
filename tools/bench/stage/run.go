package stage

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// Broken is the exit code of a benchmark when something could not be measured.
const Broken = 5

// Run measures until it is over or the process is told to end, and returns the exit code:
// 0, or Broken when anything failed. An error goes to standard error, after the name of the
// command; what failed without one has said so itself.
func Run(command string, measure func(context.Context) (failed bool, err error)) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	failed, err := measure(ctx)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", command, err)
	}
	if failed || err != nil {
		return Broken
	}
	return 0
}
