// Command bench measures what a request costs our gateway beside nginx and HAProxy,
// in turn and on the same machine, by the kernel's accounting of CPU time. It runs
// in a sandbox of its own, with a network of its own, and leaves nothing behind.
// What it does and a table go to standard error; the result is one JSON document, to
// standard output or with -out to a file.
//
//	bench [flags]           measure
//	bench report [flags]    make the page and the plots of the document
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/tools/bench/stage"
)

// Exit codes.
const (
	codeGood   = 0
	codeStale  = 1 // report -check: the page is not that of the document
	codeInput  = 3
	codeBroken = stage.Broken
)

const (
	maxRounds = 1000
	quickWhy  = "quick: no verdict"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "report" {
		os.Exit(report(os.Args[2:]))
	}
	sandbox.Main(program{})
}

type program struct{}

type flags struct {
	bench
	rows, out          string
	quick, list, merge bool
}

func parse() (f flags, _ error) {
	f.log = os.Stderr
	cpus := "0,1"
	flag.StringVar(&f.rows, "rows", "", "rows to measure, separated by commas; the end of a name may be left out; all when empty")
	flag.IntVar(&f.rounds, "rounds", leastRounds, fmt.Sprintf("rounds of each row; fewer than %d give no verdict", leastRounds))
	flag.BoolVar(&f.quick, "quick", false, "3 rounds, for an impression: no verdict")
	flag.StringVar(&f.out, "out", "", "write the document to this file")
	flag.BoolVar(&f.merge, "merge", false, "keep the rows of the file that are not measured now, and two runs before of those that are")
	flag.BoolVar(&f.list, "list", false, "print the rows and end")
	flag.StringVar(&f.bin, "bin", "bin", "folder with our binaries")
	flag.StringVar(&cpus, "cpus", cpus, "core of the proxies and core of the load")
	flag.Func("gateway", "form of ours to measure, as name=flags of l7gw; repeatable (default l7gw)", func(text string) error {
		g, err := parseGateway(text)
		for _, other := range f.gateways {
			if other.Name == g.Name {
				err = fmt.Errorf("two gateways with the name %s", g.Name)
			}
		}
		f.gateways = append(f.gateways, g)
		return err
	})
	flag.Parse()
	if f.quick {
		f.rounds = 3
	}
	if len(f.gateways) == 0 {
		f.gateways = []Gateway{{Name: "l7gw"}}
	}
	if f.quick && f.merge {
		return f, errors.New("-quick gives no rows to keep: leave out -merge")
	}
	first, second, _ := strings.Cut(cpus, ",")
	var err1, err2 error
	f.proxyCPU, err1 = strconv.Atoi(first)
	f.loadCPU, err2 = strconv.Atoi(second)
	if err := errors.Join(err1, err2); err != nil || f.proxyCPU == f.loadCPU {
		return f, fmt.Errorf("-cpus %q: want two different cores, such as 0,1", cpus)
	}
	if flag.NArg() > 0 || f.rounds < 1 || f.rounds > maxRounds {
		return f, fmt.Errorf("want no arguments and 1 to %d rounds, got %q and %d", maxRounds, flag.Args(), f.rounds)
	}
	return f, nil
}

// Run is the program inside the sandbox; it returns the exit code.
func (program) Run() int {
	f, err := parse()
	if f.list {
		for _, r := range rows {
			fmt.Printf("%-16s %s; %s\n", r.Load, r.About, targetText(r.Targets))
		}
		return codeGood
	}
	var chosen []Row
	if err == nil {
		chosen, err = chooseRows(f.rows)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return codeInput
	}
	return stage.Run("bench", func(ctx context.Context) (bool, error) {
		d, failed, err := f.run(ctx, chosen)
		if err != nil {
			return failed, err
		}
		d.print(f.log)
		if f.quick {
			fmt.Fprintln(f.log, quickWhy)
		}
		return failed, d.write(f.out, f.merge)
	})
}

// run makes the document of the chosen rows. A row that fails is no reason not to
// make the others.
func (f *flags) run(ctx context.Context, chosen []Row) (d Document, failed bool, err error) {
	if d, err = newDocument(ctx); err != nil {
		return d, false, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := f.open(ctx); err != nil {
		return d, false, err
	}
	id, dirty := stage.Commit(filepath.Join(f.bin, "l7gw"))
	for _, r := range chosen {
		r = r.filled()
		fmt.Fprintf(f.log, "%-16s ", r.Load)
		start := time.Now()
		m, err := f.measure(ctx, r)
		if ctx.Err() != nil {
			return d, false, context.Cause(ctx)
		}
		fmt.Fprintf(f.log, " %.0f s\n", time.Since(start).Seconds())
		if err != nil {
			fmt.Fprintf(f.log, "bench: %s: %v\n", r.Load, err)
			failed = true
		}
		load, errLoad := stage.ReadLoad()
		if errLoad != nil {
			return d, false, errLoad
		}
		for _, g := range f.gateways {
			x := m.result(r, g.Name)
			x.Commit, x.Dirty, x.Date, x.Noise.Load = id, dirty, start.UTC().Truncate(time.Second), load
			switch {
			case err != nil:
				x.Verdict, x.Why = Undecided, "not measured: "+err.Error()
			case f.quick && x.Verdict != NotYet:
				x.Verdict, x.Why = Undecided, quickWhy
			}
			d.Rows = append(d.Rows, x)
		}
	}
	return d, failed, nil
}
