// Command interop has judges from outside look at our gateway: programs that others
// wrote to test any implementation, from their registries, in the versions named here.
//
//	h2spec  the rules of RFC 9113 and 7541, over TLS and without it
//
// It starts a standalone gateway on loopback, writes --out/report.json, one object for
// each judge with suite, version, passed, total and what failed, and ends with 1 when
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
	"syscall"
	"time"
)

// limit is how long everything may take.
const limit = 5 * time.Minute

// A Result is what a judge says.
type Result struct {
	Suite   string   `json:"suite"`
	Version string   `json:"version"`
	Passed  int      `json:"passed"`
	Total   int      `json:"total"`
	Failed  []string `json:"failed,omitempty"`
}

func main() {
	bin := flag.String("bin", "bin", "folder with l7gw, l7admin and unilb-etcd")
	out := flag.String("out", "out/interop", "folder for the report, the judges and their logs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := run(ctx, *bin, *out); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	spec, err := installH2spec(ctx, out)
	if err != nil {
		return err
	}
	gw, err := startGateway(ctx, bin, out)
	if err != nil {
		return err
	}
	results, err := judged(ctx, spec, gw)
	err = errors.Join(err, gw.stop())
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "report.json"), append(b, '\n'), 0o644); err != nil {
		return err
	}
	passed, failed := 0, 0
	for _, r := range results {
		fmt.Printf("%-12s %s  %d of %d\n", r.Suite, r.Version, r.Passed, r.Total)
		for _, f := range r.Failed {
			fmt.Println("  failed:", f)
		}
		passed, failed = passed+r.Passed, failed+r.Total-r.Passed
	}
	fmt.Printf("%d passed, %d failed, 0 skipped\n", passed, failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d tests of others failed", failed, passed+failed)
	}
	return nil
}

// judged runs every judge.
func judged(ctx context.Context, spec *h2spec, gw *gateway) ([]Result, error) {
	var results []Result
	for _, secure := range []bool{true, false} {
		r, err := spec.judge(ctx, gw, secure)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}
