package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// upOf measures what a user waits for: "lbsim up" of a topology of the library from
// its start to its end, what all processes have used by then, the steps that lbsim
// prints, and "lbsim down". The kernel frees namespaces after down has ended; freed
// is when it is done, counted from the start of down.
func upOf(topology string) func(context.Context, Settings) ([]Sample, error) {
	return func(ctx context.Context, s Settings) (_ []Sample, err error) {
		bin, err := filepath.Abs(s.Bin)
		if err != nil {
			return nil, fmt.Errorf("find binaries: %w", err)
		}
		dir, err := os.MkdirTemp("", "benchlab-")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		lbsim := filepath.Join(bin, "lbsim")
		before, errCPU := sandboxCPU()
		start := time.Now()
		told, err := tell(ctx, lbsim, "up", topology, "--bin", bin, "--dir", dir)
		wall := time.Since(start)
		after, errCPU2 := sandboxCPU()
		if err := errors.Join(err, errCPU, errCPU2); err != nil {
			return nil, err
		}
		out := []Sample{{"wall", "s", wall.Seconds()}, {"cpu", "s", (after - before).Seconds()}}
		for _, x := range steps(told) {
			x.Name = "step-" + strings.ReplaceAll(x.Name, " ", "-")
			out = append(out, x)
		}
		start = time.Now()
		if _, err := tell(ctx, lbsim, "down", topology); err != nil {
			return nil, err
		}
		down := time.Since(start)
		if err := awaitFreed(ctx); err != nil {
			return nil, err
		}
		return append(out, Sample{"down", "s", down.Seconds()}, Sample{"freed", "s", time.Since(start).Seconds()}), nil
	}
}

// tell runs lbsim to its end and returns what it told on standard error.
func tell(ctx context.Context, lbsim string, args ...string) (string, error) {
	var told bytes.Buffer
	cmd := exec.CommandContext(ctx, lbsim, args...)
	cmd.Stderr = &told
	// The first interrupt makes it take the lab down; the sandbox ends the rest.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("lbsim %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(told.String()))
	}
	return told.String(), nil
}

// steps reads what lbsim up tells of its progress: " ✓ stage 0   l7gw 2   442ms".
func steps(told string) []Sample {
	const nameWidth = 9
	var out []Sample
	for line := range strings.Lines(told) {
		rest, ok := strings.CutPrefix(line, " ✓ ")
		f := strings.Fields(rest)
		if !ok || len(rest) < nameWidth || len(f) < 2 {
			continue
		}
		if took, err := time.ParseDuration(f[len(f)-1]); err == nil {
			out = append(out, Sample{strings.TrimSpace(rest[:nameWidth]), "s", took.Seconds()})
		}
	}
	return out
}
