// Command benchconfig measures the configuration plane with 100 000 routes: how long a
// write takes until gateways serve it, what changes cost those who send requests, what
// one change, a start and a match cost, and what the Admin API takes. The processes are
// the binaries that users run, as children on the loopback of a sandbox, etcd in memory;
// what only a package can tell is measured by its benchmarks, built as a binary.
//
// Progress goes to standard error, a table to standard output, with -json the document
// instead; -out writes that to a file.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/tools/bench/figure"
	"github.com/unilb/unilb/tools/bench/load"
	"github.com/unilb/unilb/tools/bench/stage"
)

// Exit codes, beside those of stage.Run.
const (
	codeGood  = 0
	codeInput = 3
)

const quickWhy = "quick: no verdict"

func init() {
	sandbox.RegisterPart(load.ResponderPart, load.PlayResponder)
	sandbox.RegisterPart(load.OpenPart, load.PlayOpen)
}

func main() { sandbox.Main(program{}) }

type program struct{}

type flags struct {
	rows, out, bin           string
	routes                   int
	within                   time.Duration
	quick, list, merge, json bool
}

// Run is the program inside the sandbox; it returns the exit code.
func (program) Run() int {
	var f flags
	flag.StringVar(&f.rows, "rows", "", "rows to measure, separated by commas; the end of a name may be left out; all when empty")
	flag.BoolVar(&f.quick, "quick", false, "few turns, for an impression: no verdict")
	flag.IntVar(&f.routes, "routes", allRoutes, "routes of the processes, no fewer than 6400; another number than the default is quick")
	flag.DurationVar(&f.within, "within", 10*time.Minute, "measurements that have not begun by then are left out")
	flag.BoolVar(&f.list, "list", false, "print the rows and end")
	flag.BoolVar(&f.json, "json", false, "print the document instead of a table")
	flag.StringVar(&f.out, "out", "", "write the document to this file")
	flag.BoolVar(&f.merge, "merge", false, "keep the rows of the file that are not measured now, and two runs before of those that are")
	flag.StringVar(&f.bin, "bin", "bin", "folder with our binaries and config.bench, the benchmarks of impl/config")
	flag.Parse()
	f.quick = f.quick || f.routes != allRoutes
	if f.list {
		for _, r := range rows {
			fmt.Printf("%-18s %s [%s] %s\n", r.name, r.about, r.unit, r.target)
		}
		return codeGood
	}
	chosen, err := chooseRows(f.rows)
	if flag.NArg() > 0 {
		err = fmt.Errorf("unexpected arguments %q", flag.Args())
	}
	if f.routes < callers*writesOfCaller {
		err = fmt.Errorf("%d routes are too few", f.routes)
	}
	if f.merge && f.out == "" {
		err = errors.New("-merge needs the file of -out")
	}
	if f.quick && f.merge {
		err = errors.New("-quick gives no rows to keep: leave out -merge")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchconfig:", err)
		return codeInput
	}
	return stage.Run("benchconfig", func(ctx context.Context) (bool, error) {
		d, failed, err := f.run(ctx, chosen)
		if err != nil {
			return failed, err
		}
		return failed, f.publish(d)
	})
}

// publish prints the document, or a table of it, and writes it to the file.
func (f *flags) publish(d figure.Document) error {
	if !f.json {
		d.Print(os.Stdout)
	} else if err := d.Encode(os.Stdout); err != nil {
		return err
	}
	if f.out == "" {
		return nil
	}
	var names []string
	if f.merge {
		names = rowNames()
	}
	return d.Write(f.out, names)
}

// run makes the document of the chosen rows. A measurement that fails is no reason not
// to make the others.
func (f *flags) run(ctx context.Context, chosen []row) (d figure.Document, failed bool, err error) {
	d = figure.Document{Go: runtime.Version(), Rows: []figure.Row{}}
	if d.Machine, err = stage.ReadMachine(); err != nil {
		return d, false, err
	}
	if f.merge {
		if err := d.Mergeable(f.out); err != nil {
			return d, false, fmt.Errorf("-merge: %s: %w; delete the file to begin a new one", f.out, err)
		}
	}
	b := &bench{bin: f.bin, quick: f.quick, routes: f.routes, log: os.Stderr}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.open(); err != nil {
		return d, false, err
	}
	end := time.Now().Add(f.within)
	id, dirty := stage.Commit(filepath.Join(f.bin, "l7gw"))
	for _, m := range measurements {
		of := rowsOf(chosen, m.name)
		if len(of) == 0 {
			continue
		}
		if time.Now().After(end) {
			fmt.Fprintf(b.log, "benchconfig: %s is left out: %s are over\n", m.name, f.within)
			failed = true
			continue
		}
		fmt.Fprintf(b.log, "%-12s ", m.name)
		start := time.Now()
		got := newResult()
		err := m.make(ctx, b, got)
		if ctx.Err() != nil {
			return d, false, context.Cause(ctx)
		}
		fmt.Fprintf(b.log, " %.0f s\n", time.Since(start).Seconds())
		if err != nil {
			fmt.Fprintf(b.log, "benchconfig: %s: %v\n", m.name, err)
			failed = true
		}
		for _, r := range of {
			x := got.row(r)
			x.Commit, x.Dirty, x.Date = id, dirty, start.UTC().Truncate(time.Second)
			if x.Noise.Load, err = stage.ReadLoad(); err != nil {
				return d, false, err
			}
			if f.quick {
				x.Verdict, x.Why = figure.Undecided, quickWhy
			}
			d.Rows = append(d.Rows, x)
		}
	}
	d.Rows = inOrder(d.Rows)
	return d, failed, nil
}

// inOrder puts figures in the order of the rows.
func inOrder(all []figure.Row) []figure.Row {
	names := rowNames()
	slices.SortFunc(all, func(a, b figure.Row) int {
		return cmp.Compare(slices.Index(names, a.Name), slices.Index(names, b.Name))
	})
	return all
}

// chooseRows are the rows whose names begin with one of these.
func chooseRows(text string) ([]row, error) {
	if text == "" {
		return rows, nil
	}
	var out []row
	for name := range strings.SplitSeq(text, ",") {
		found := false
		for _, r := range rows {
			if strings.HasPrefix(r.name, name) && name != "" {
				out, found = append(out, r), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no row begins with %q: -list names them", name)
		}
	}
	return out, nil
}
