// Command l7gw is the L7 gateway.
//
// It owns flags, signals and exit codes; the gateway is impl/gateway. It exits
// with 0 after SIGTERM or SIGINT, 3 when its flags are wrong and 1 when it
// failed; a second signal ends a drain at once. SIGUSR1 opens the access log anew.
// SIGUSR2 starts the binary that lies where this one was started from, which takes over
// the listening sockets; this process then drains and ends.
//
// "l7gw explain" serves nothing: it says what would become of a request.
//
// With --standalone it also starts unilb-etcd and l7admin, which must lie beside
// its own binary, as its children on loopback.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/unilb/unilb/impl/gateway"
	"github.com/unilb/unilb/impl/handover"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

const (
	exitFailed   = 1
	exitBadFlags = 3
)

func main() { os.Exit(run(os.Args[1:], os.Getenv)) }

func run(args []string, getenv func(string) string) int {
	if len(args) > 0 && args[0] == "explain" {
		return runExplain(args[1:], getenv, os.Stdin, os.Stdout)
	}
	o, err := parse(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "l7gw:", err)
		return exitBadFlags
	}
	if o.version {
		fmt.Println("l7gw", obs.Version())
		return 0
	}
	lines := obs.NewWriter(os.Stderr) // event loops log, and must not wait
	defer lines.Close()
	log, err := obs.Logger(lines, o.logLevel)
	if err != nil {
		fmt.Fprintln(os.Stderr, "l7gw:", err)
		return exitBadFlags
	}
	log = log.With(obs.Node, o.node)
	ctx, hard := signals()
	work := serve
	if o.standalone {
		work = serveStandalone
	}
	if err := work(ctx, hard, o, log); err != nil {
		log.Error("l7gw failed", obs.Err, err)
		return exitFailed
	}
	return 0
}

// signals returns a context that ends with the first SIGTERM or SIGINT, and one
// that ends with the second.
func signals() (first, second context.Context) {
	first, drain := context.WithCancel(context.Background())
	second, hard := context.WithCancel(context.Background())
	c := make(chan os.Signal, 2)
	signal.Notify(c, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-c
		drain()
		<-c
		hard()
	}()
	return first, second
}

func serve(ctx, hard context.Context, o *options, log *slog.Logger) error {
	st, err := store.Open(o.access.Options(o.etcd, log))
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	reg, err := o.registration()
	if err != nil {
		return err
	}
	upstreamRoots, err := roots("upstream-ca", o.upstreamCA)
	if err != nil {
		return err
	}
	secretRoots, err := roots("secret-ca", o.secretCA)
	if err != nil {
		return err
	}
	if o.engine == gateway.EngineLoop {
		// A loop keeps its processor while it waits a short time: the rest of the
		// program needs others.
		const others = 2
		runtime.GOMAXPROCS(o.loops + others)
	}
	successor, err := o.successor()
	if err != nil {
		return err
	}
	heir, err := handover.Inherit()
	if err != nil {
		return err
	}
	restart := make(chan os.Signal, 1)
	signal.Notify(restart, syscall.SIGUSR2) // also where nobody can succeed us: it would end us
	reopen := make(chan os.Signal, 1)
	signal.Notify(reopen, syscall.SIGUSR1) // also without an access log: it would end us
	return gateway.Run(ctx, hard, gateway.Options{
		Registration: reg, Store: st, Prefix: o.prefix, Listen: o.listen, ListenTLS: o.listenTLS,
		Router: o.router, Paths: o.paths, Peers: o.peers, FallbackSNI: o.fallbackSNI, OCSPStapling: o.ocspStapling, TicketSecret: []byte(o.ticketSecret), Keyring: o.keyring, UpstreamRoots: upstreamRoots,
		SecretRoots: secretRoots, SecretRefresh: o.secretRefresh, CompareEvery: o.compareEvery,
		StateDir: o.stateDir, StatusListen: o.statusListen, ControlListen: o.control,
		DrainDelay: o.drainDelay, DrainTimeout: o.drain, AccessLog: o.openAccessLog(), Reopen: reopen, Log: log, Ready: o.ready,
		Engine: o.engine, Loops: o.loops, HTTP2: o.http2, Limits: o.limits, MetricSeries: o.metricSeries,
		Restart: restart, Successor: successor, RestartTimeout: o.restartTimeout, Heir: heir,
	})
}

// successor is what SIGUSR2 starts: what was started here, by the name it had then, behind
// which a new binary may lie at that time. With --standalone there is none, because the
// children end with this process.
func (o *options) successor() (handover.Program, error) {
	if o.standalone {
		return handover.Program{}, nil
	}
	path, err := exec.LookPath(os.Args[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return handover.Program{}, fmt.Errorf("find own binary: %w", err)
	}
	return handover.Program{Path: path, Args: os.Args, Env: os.Environ()}, nil
}
