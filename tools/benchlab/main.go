// Command benchlab measures the testbed itself: what its clients and backends
// cost, how fast labs come up. It runs in a sandbox of its own and prints one
// JSON row a figure on standard output; what it does goes to standard error.
// It judges nothing: a row says what was measured and how noisy the machine was.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
)

// Settings are what measurements may need to know.
type Settings struct {
	Bin  string        // folder with the binaries of the product
	For  time.Duration // how long one run under load lasts
	Rate float64       // requests a second of loads
	Log  io.Writer     // for people
}

// measurements are run in this order.
var measurements = []Measurement{
	{Name: "clients", About: "clients and echo backends of one process, a veth between them", Run: measureClients},
	{Name: "clients-full", About: "the same as fast as the machine allows: 64 requests under way at any time", Run: measureClientsAtFullSpeed},
	{Name: "clients-gateway", About: "two fifths of the rate through l7gw, in the topology hello; needs -bin", Run: measureClientsThroughGateway},
}

// MaxRepeat is the most runs of one measurement.
const MaxRepeat = 100

func main() { sandbox.Main(program{}) }

type program struct{}

// Run is the program inside the sandbox; it returns the exit code.
func (program) Run() int {
	only := flag.String("only", "", "measurements to run, separated by commas; all when empty")
	list := flag.Bool("list", false, "print the measurements and end")
	repeat := flag.Int("repeat", 5, fmt.Sprintf("runs of each measurement, at most %d", MaxRepeat))
	profile := flag.String("cpuprofile", "", "write a CPU profile to this file")
	s := Settings{Log: os.Stderr}
	flag.StringVar(&s.Bin, "bin", "bin", "folder with the product's binaries")
	flag.DurationVar(&s.For, "for", 10*time.Second, "length of a run under load")
	flag.Float64Var(&s.Rate, "rate", 5000, "requests a second of a load")
	flag.Parse()
	if *list {
		for _, m := range measurements {
			fmt.Printf("%-18s %s\n", m.Name, m.About)
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	chosen, err := choose(*only)
	if err == nil && (flag.NArg() > 0 || *repeat < 1 || *repeat > MaxRepeat || s.For < time.Second || s.For > time.Hour) {
		err = fmt.Errorf("want no arguments, 1 to %d runs and 1s to 1h for each, got %q, %d, %s", MaxRepeat, flag.Args(), *repeat, s.For)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchlab:", err)
		return 3
	}
	if err := profiled(*profile, func() error { return run(ctx, chosen, s, *repeat) }); err != nil {
		fmt.Fprintln(os.Stderr, "benchlab:", err)
		return 5
	}
	return 0
}

func run(ctx context.Context, chosen []Measurement, s Settings, repeat int) error {
	if !sandbox.Inside() {
		return fmt.Errorf("this machine or user has no sandbox; lbsim doctor says why")
	}
	out := json.NewEncoder(os.Stdout)
	for _, m := range chosen {
		rows, err := m.repeat(ctx, s, repeat)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := out.Encode(r); err != nil {
				return fmt.Errorf("print the row of %s: %w", r.Name, err)
			}
		}
	}
	return nil
}

// choose finds the named measurements; all of them when none is named.
func choose(names string) ([]Measurement, error) {
	if names == "" {
		return measurements, nil
	}
	var out []Measurement
	for name := range strings.SplitSeq(names, ",") {
		found := false
		for _, m := range measurements {
			if m.Name == name {
				out, found = append(out, m), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no measurement %q; -list names them", name)
		}
	}
	return out, nil
}

func profiled(path string, f func() error) error {
	if path == "" {
		return f()
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return f()
}
