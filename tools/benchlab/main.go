// Command benchlab measures the testbed itself: how fast labs come up, beside
// mininet too, what wires add, what clients and backends cost. It runs in a
// sandbox of its own, so that whatever it builds ends with it. What it does and a
// table go to standard error; the result is one JSON document, to standard output
// or with -out to a file. Figures have limits that hold on a quiet machine: the
// table says which were missed, and only with -check does the exit code.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
)

// Settings are what measurements may need to know.
type Settings struct {
	Bin  string        // folder with the binaries of the product and of the testbed
	For  time.Duration // how long one run under load lasts
	Rate float64       // requests a second of loads
	Log  io.Writer     // for people
}

// measurements are run in this order.
var measurements = []Measurement{
	{Name: "up-hello", About: "lbsim up and down of the topology hello; needs -bin", Runs: 5, Limits: map[string]Limit{"wall": atMost(2)}, Run: upOf("hello")},
	{Name: "up-two-az", About: "the same of two-az", Runs: 5, Limits: map[string]Limit{"wall": atMost(8)}, Run: upOf("two-az")},
	{Name: "up-three-region", About: "the same of three-region", Runs: 3, Run: upOf("three-region")},
	{Name: "up-thousand", About: "the same of thousand", Runs: 3, Limits: map[string]Limit{"wall": atMost(15)}, Run: upOf("thousand")},
	{Name: "hosts-100", About: "100 hosts, ours and mininet's in turn", Runs: 5, Limits: map[string]Limit{"times": atLeast(12)}, Run: hostsOf(100), Detail: compared},
	{Name: "hosts-1000", About: "1000 hosts, ours and mininet's in turn", Runs: 2, Run: hostsOf(1000), Detail: compared},
	{Name: "wire-rtt", About: "round trips of datagrams over wires of several delays and a kernel link", Runs: 5, Limits: map[string]Limit{"5ms-p50-over": atMost(1)}, Run: measureRoundTrips},
	{Name: "wire-bulk", About: "TCP (cubic) over the same", Runs: 5, Run: measureBulk},
	{Name: "clients", About: "clients and echo backends of one process, a veth between them", Runs: 3, Limits: map[string]Limit{"cpu": atMost(1)}, Run: measureClients},
	{Name: "clients-full", About: "the same as fast as the machine allows: 64 requests under way at any time", Runs: 3, Limits: map[string]Limit{"rate": atLeast(5000)}, Run: measureClientsAtFullSpeed},
	{Name: "clients-gateway", About: "two fifths of the rate through l7gw, in the topology hello; needs -bin", Runs: 3, Run: measureClientsThroughGateway},
}

// MaxRepeat is the most runs of one measurement.
const MaxRepeat = 100

// Exit codes.
const (
	codeGood   = 0
	codeMissed = 1 // -check: a limit was missed
	codeInput  = 3
	codeBroken = 5 // something could not be measured
)

func main() { sandbox.Main(program{}) }

type program struct{}

type flags struct {
	Settings
	only, out, profile string
	repeat             int
	list, check        bool
}

func parse() (f flags, _ error) {
	f.Log = os.Stderr
	flag.StringVar(&f.only, "only", "", "measurements to run, separated by commas; the end of a name may be left out; all when empty")
	flag.BoolVar(&f.list, "list", false, "print the measurements and end")
	flag.IntVar(&f.repeat, "repeat", 0, fmt.Sprintf("runs of each measurement, at most %d; 0: what each finds enough", MaxRepeat))
	flag.StringVar(&f.out, "out", "", "write the document to this file")
	flag.BoolVar(&f.check, "check", false, "end with 1 when a limit is missed; for quiet machines")
	flag.StringVar(&f.profile, "cpuprofile", "", "write a CPU profile of this process to this file")
	flag.StringVar(&f.Bin, "bin", "bin", "folder with the binaries")
	flag.DurationVar(&f.For, "for", 5*time.Second, "length of a run under load")
	flag.Float64Var(&f.Rate, "rate", 5000, "requests a second of a load")
	flag.Parse()
	if flag.NArg() > 0 || f.repeat < 0 || f.repeat > MaxRepeat || f.For < time.Second || f.For > time.Hour {
		return f, fmt.Errorf("want no arguments, up to %d runs and 1s to 1h for each, got %q, %d, %s", MaxRepeat, flag.Args(), f.repeat, f.For)
	}
	return f, nil
}

// Run is the program inside the sandbox; it returns the exit code.
func (program) Run() int {
	if len(os.Args) > 1 && os.Args[1] == buildWord {
		return builder(os.Args[2:])
	}
	f, err := parse()
	if f.list {
		for _, m := range measurements {
			fmt.Printf("%-16s %s\n", m.Name, m.About)
		}
		return codeGood
	}
	var chosen []Measurement
	if err == nil {
		chosen, err = choose(f.only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchlab:", err)
		return codeInput
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	var d Document
	err = profiled(f.profile, func() (err error) {
		d, err = run(ctx, chosen, f.Settings, f.repeat)
		return err
	})
	if err == nil {
		d.print(f.Log)
		err = d.write(f.out)
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "benchlab:", err)
		return codeBroken
	case len(d.Failed) > 0:
		return codeBroken
	case f.check && d.missed() > 0:
		return codeMissed
	}
	return codeGood
}

// run makes the document of the chosen measurements.
func run(ctx context.Context, chosen []Measurement, s Settings, repeat int) (Document, error) {
	if !sandbox.Inside() {
		return Document{}, fmt.Errorf("this machine or user has no sandbox; lbsim doctor says why")
	}
	d, err := newDocument(ctx)
	if err != nil {
		return d, err
	}
	return d, d.measure(ctx, chosen, s, repeat)
}

// measure makes the measurements, one after the other. One that fails is no reason
// not to make the others.
func (d *Document) measure(ctx context.Context, chosen []Measurement, s Settings, repeat int) error {
	before, err := readMachine()
	if err != nil {
		return err
	}
	for _, m := range chosen {
		n := repeat
		if n == 0 {
			n = m.Runs
		}
		rows, err := m.repeat(ctx, s, n)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			fmt.Fprintln(s.Log, "benchlab:", err)
			d.Failed = append(d.Failed, Failure{Name: m.Name, Error: err.Error()})
		}
		d.Rows = append(d.Rows, rows...)
	}
	after, err := readMachine()
	if err != nil {
		return err
	}
	d.Noise = after.since(before)
	return nil
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
