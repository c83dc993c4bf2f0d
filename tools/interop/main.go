// Command interop has judges from outside look at our gateway: programs that others
// wrote to test any implementation, from their registries, in the versions named here.
//
//	h2spec   the rules of RFC 9113 and 7541, over TLS and without it
//	connect  the protocols of Connect, gRPC and gRPC-Web, by HTTP/1.1 and HTTP/2
//	grpc-go  the interoperability tests of grpc-go, over TLS and without it
//
// It starts standalone gateways on loopback, writes --out/report.json, one object for
// each suite with version, engine, passed, total and what failed, and ends with 1 when
// one of them is not content with everything.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// limit is how long everything may take, for each time that it is repeated.
const limit = 10 * time.Minute

// A Result is what a judge says.
type Result struct {
	Suite   string   `json:"suite"`
	Version string   `json:"version"`
	Engine  string   `json:"engine"`
	Passed  int      `json:"passed"`
	Total   int      `json:"total"`
	Failed  []string `json:"failed,omitempty"`
}

// A plan is what to run.
type plan struct {
	bin, out, engines, only string
	repeat                  int
}

func main() {
	runtime.LockOSThread() // children end with the thread that has started them
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == connectServerVerb {
		end(connectServer(ctx, os.Args[2:]))
		return
	}
	var p plan
	flag.StringVar(&p.bin, "bin", "bin", "folder with l7gw, l7admin and unilb-etcd")
	flag.StringVar(&p.out, "out", "out/interop", "folder for the report, the judges and their logs")
	flag.StringVar(&p.engines, "engine", engineLoop+",std", "of the gateway, with commas; std speaks no HTTP/2 to clients")
	flag.StringVar(&p.only, "only", "", "run this suite alone")
	flag.IntVar(&p.repeat, "repeat", 1, "how often connect is run")
	flag.Parse()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(p.repeat)*limit)
	defer cancel()
	end(p.run(ctx))
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func (p plan) run(ctx context.Context) error {
	for _, dir := range []*string{&p.bin, &p.out} {
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return err
		}
		*dir = abs
	}
	if err := os.MkdirAll(p.out, 0o755); err != nil {
		return err
	}
	var results []Result
	for _, s := range p.suites() {
		begin := time.Now()
		some, err := s.run(ctx, p)
		if err != nil {
			return fmt.Errorf("%s with the engine %s: %w", s.name, s.engine, err)
		}
		for _, r := range some {
			r.Engine = s.engine
			show(r)
			results = append(results, r)
		}
		fmt.Fprintf(os.Stderr, "%s in %s\n", s.name, time.Since(begin).Round(time.Second))
	}
	b, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(p.out, "report.json"), append(b, '\n'), 0o644); err != nil {
		return err
	}
	passed, failed := 0, 0
	for _, r := range results {
		passed, failed = passed+r.Passed, failed+r.Total-r.Passed
	}
	fmt.Printf("%d passed, %d failed, 0 skipped\n", passed, failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d tests of others failed", failed, passed+failed)
	}
	if passed == 0 {
		return errors.New("nothing was run")
	}
	return nil
}

func show(r Result) {
	fmt.Printf("%-22s %-20s %s  %d of %d\n", r.Suite, r.Version, r.Engine, r.Passed, r.Total)
	for _, f := range r.Failed {
		fmt.Println("  failed:", f)
	}
}
