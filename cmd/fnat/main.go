// Command fnat shows what the forwarding plane of this machine does: mappings,
// places, sources, counters. It reads what is pinned and changes nothing, so it
// works while the agent is down.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/unilb/unilb/impl/fnat"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 3
)

const usage = `usage: fnat [--pin-dir DIR] [--json] COMMAND

  ls                 mappings of a gateway, places of a host, L4 nodes of a tunnel
  trace UNIQUE-IP    where packets to a unique IP go, and how answers come back
  stats              counters of each device and direction

Exit codes: 0 fine, 1 failed or (trace) not forwarded, 3 wrong usage.
`

// usageError is a command line that cannot be obeyed.
type usageError struct{ error }

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	var wrong usageError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.As(err, &wrong):
		fmt.Fprintln(os.Stderr, "fnat:", err)
		os.Exit(exitUsage)
	default:
		fmt.Fprintln(os.Stderr, "fnat:", err)
		os.Exit(exitFailed)
	}
}

func run(args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("fnat", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.Usage = func() { _, _ = io.WriteString(progress, usage) }
	pinDir := flags.String("pin-dir", "/sys/fs/bpf/unilb", "")
	asJSON := flags.Bool("json", false, "")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	p := printer{out: out, json: *asJSON}
	switch args = flags.Args(); {
	case len(args) == 1 && args[0] == "ls":
		return withViews(*pinDir, p.list)
	case len(args) == 1 && args[0] == "stats":
		return withViews(*pinDir, p.stats)
	case len(args) == 2 && args[0] == "trace":
		unique, err := netip.ParseAddr(args[1])
		if err != nil {
			return usageError{fmt.Errorf("trace %q: want an IP address", args[1])}
		}
		return withViews(*pinDir, func(views []*fnat.View) error { return p.trace(views, unique) })
	}
	flags.Usage()
	return usageError{errors.New("want ls, trace UNIQUE-IP or stats")}
}

// withViews opens what is pinned, for the time of f.
func withViews(pinDir string, f func([]*fnat.View) error) error {
	views, err := fnat.OpenViews(pinDir)
	if err != nil {
		return err
	}
	defer func() {
		for _, v := range views {
			v.Close()
		}
	}()
	if len(views) == 0 {
		return fmt.Errorf("nothing is pinned in %s: is this the agent's --pin-dir?", pinDir)
	}
	return f(views)
}
