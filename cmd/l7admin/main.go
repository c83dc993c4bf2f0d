// Command l7admin serves the Admin API over etcd; l7admin history, diff and rollback tell
// who changed what, and bring back what was; nodes lists who is registered, and removes
// who has ended.
//
// It owns flags, listeners and the order of start and end; the API is in
// impl/admin. It exits with 0 after SIGTERM or SIGINT, 3 when its flags are wrong
// and 1 when it failed; a second signal ends it at once.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/unilb/unilb/impl/daemon"
	"github.com/unilb/unilb/impl/obs"
)

func main() { os.Exit(run(os.Args[1:], os.Getenv)) }

func run(args []string, getenv func(string) string) int {
	if len(args) > 0 {
		if _, ok := commands[args[0]]; ok {
			return command(args[0], args[1:], getenv, os.Stdout)
		}
	}
	o, err := parse(args, getenv)
	if err != nil {
		return daemon.BadFlags("l7admin", err)
	}
	if o.version {
		fmt.Println("l7admin", obs.Version())
		return 0
	}
	return daemon.Run(daemon.Program{
		Name: "l7admin", Node: o.node, LogLevel: o.logLevel, Serve: func(ctx context.Context, log *slog.Logger) error { return serve(ctx, o, log) },
	})
}
