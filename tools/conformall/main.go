// Command conformall judges every gateway that has a driver in this repository,
// one after another, and makes one page of the reports. Drivers that nobody has
// tried and gateways that are not installed are left out, and it says why. What a
// foreign gateway fails is no failure of this command: it fails when a run gave no
// report, or when there was nothing to judge. Run it in the root of the repository.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/unilb/unilb/conformance/drivers"
	"github.com/unilb/unilb/conformance/report"
)

// exitMachine is how lbsim says that this machine cannot: here, that the gateway
// is not installed.
const exitMachine = 4

func main() {
	lbsim := flag.String("lbsim", "bin/lbsim", "the lbsim to run")
	out := flag.String("out", "out/conformance-all", "directory of the reports")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: conformall [-lbsim FILE] [-out DIR] [-- FLAGS OF lbsim conform]")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := all{out: *out, stdout: os.Stdout, conform: func(ctx context.Context, driver, dir string) (int, string, error) {
		return conform(ctx, *lbsim, append([]string{"conform", "--gateway", driver, "--out", dir}, flag.Args()...))
	}}
	if err := a.run(ctx, drivers.Files); err != nil {
		fmt.Fprintln(os.Stderr, "conformall:", err)
		os.Exit(1)
	}
}

// all judges every gateway. conform judges one: its exit code, the last line that
// it said, and whether it could be started at all.
type all struct {
	out     string
	stdout  io.Writer
	conform func(ctx context.Context, driver, dir string) (code int, last string, err error)
}

func (a all) run(ctx context.Context, manifests fs.FS) error {
	found, err := fs.Glob(manifests, "*.yaml")
	if err != nil {
		return err
	}
	var reports []*report.Report
	var failed []error
	for _, file := range found {
		name := strings.TrimSuffix(file, ".yaml")
		why, err := untried(manifests, file)
		if err != nil {
			return err
		}
		if why != "" {
			a.say("left out  %-12s nobody has tried this driver: %s", name, why)
			continue
		}
		begin, dir := time.Now(), filepath.Join(a.out, name)
		code, last, err := a.conform(ctx, name, dir)
		if err := errors.Join(err, ctx.Err()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if code == exitMachine {
			a.say("left out  %-12s %s", name, last)
			continue
		}
		r, err := report.ReadFile(dir)
		if err != nil || r.Run.Started.Before(begin.Add(-time.Second)) { // an older run left it
			failed = append(failed, fmt.Errorf("%s: exit code %d and no report: %s", name, code, last))
			continue
		}
		a.say("judged    %-12s %s, %s: %d passed, %d failed, %d skipped", name, r.Verdict, r.Result, r.Counts.Passed, r.Counts.Failed, r.Counts.Skipped)
		reports = append(reports, r)
	}
	if len(reports) == 0 {
		return errors.Join(append(failed, errors.New("no gateway was judged"))...)
	}
	var page bytes.Buffer
	if err := report.Grid(&page, reports); err != nil {
		return err
	}
	grid := filepath.Join(a.out, "grid.html")
	if err := os.WriteFile(grid, page.Bytes(), 0o644); err != nil {
		return err
	}
	a.say("%s", grid)
	return errors.Join(failed...)
}

func (a all) say(format string, args ...any) { _, _ = fmt.Fprintf(a.stdout, format+"\n", args...) } // the reports are what counts

// untried is why a manifest says that nobody has tried it; empty: somebody has.
func untried(manifests fs.FS, file string) (string, error) {
	b, err := fs.ReadFile(manifests, file)
	if err != nil {
		return "", err
	}
	var m struct {
		Untried string `yaml:"untried"`
	}
	if err := yaml.Unmarshal(b, &m); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return m.Untried, nil
}

// conform runs lbsim and shows what it says. Interrupted, it gets the time that it
// needs to leave nothing behind.
func conform(ctx context.Context, lbsim string, args []string) (int, string, error) {
	var said lastLine
	cmd := exec.CommandContext(ctx, lbsim, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, io.MultiWriter(os.Stderr, &said)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return cmd.ProcessState.ExitCode(), said.String(), err
}

// lastLine keeps the last line that was written to it.
type lastLine struct{ line, open []byte }

func (l *lastLine) Write(b []byte) (int, error) {
	for part := range bytes.Lines(b) {
		l.open = append(l.open, part...)
		if bytes.HasSuffix(l.open, []byte("\n")) {
			l.line, l.open = bytes.TrimSpace(l.open), nil
		}
	}
	return len(b), nil
}

func (l *lastLine) String() string { return string(l.line) }
