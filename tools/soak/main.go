// Command soak kills lbsim with SIGKILL at random moments of up, run and down, and
// looks at what is left: no process, namespace, link, mount, pin, socket or file of
// the lab; the next up works; and what belongs to others, set up beside it, is as it
// was. It runs in a sandbox of its own, so that the machine is not touched, with the
// real programs. A line a round goes to standard output.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
)

// MaxRounds is the most rounds of one command.
const MaxRounds = 10_000

func main() { sandbox.Main(program{}) }

type program struct{}

// Run is the program inside the sandbox; it returns the exit code.
func (program) Run() int {
	bin := flag.String("bin", "bin", "directory with the binaries")
	rounds := flag.Int("rounds", 50, fmt.Sprintf("how often something is killed, at most %d", MaxRounds))
	seed := flag.Uint64("seed", 0, "who is killed and when follows from it (default: one that is drawn, and printed)")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 || *rounds > MaxRounds {
		fmt.Fprintf(os.Stderr, "soak: want no arguments and 1 to %d rounds\n", MaxRounds)
		return 3
	}
	if !sandbox.Inside() {
		fmt.Fprintln(os.Stderr, "soak: this machine or user has no sandbox; lbsim doctor says why")
		return 4
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "soak-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		return 5
	}
	failed, err := soak(ctx, *bin, dir, *rounds, seedOf(*seed), os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "soak:", err)
		return 5
	case failed > 0:
		fmt.Fprintln(os.Stderr, "soak: evidence in", dir)
		return 1
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		return 5
	}
	return 0
}

// seedOf draws a seed where none is given.
func seedOf(given uint64) uint64 {
	if given == 0 {
		return uint64(time.Now().UnixNano()) % 1_000_000
	}
	return given
}

// soak does the rounds below dir and returns how many went wrong. The error is one
// of the testbed: nothing is known then.
func soak(ctx context.Context, bin, dir string, rounds int, seed uint64, out io.Writer) (failed int, err error) {
	r, err := newRig(bin, dir)
	if err != nil {
		return 0, err
	}
	defer r.close()
	lasts, err := r.measure()
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "seed %d  quiet: up %s  run %s  down %s\n", seed, round(lasts[verbUp]), round(lasts[verbRun]), round(lasts[verbDown]))
	done := 0
	for _, k := range kills(seed, rounds) {
		if ctx.Err() != nil {
			break
		}
		done++
		story, err := r.kill(k, lasts[k.verb])
		result := "ok"
		if err != nil {
			failed++
			result = "FAILED: " + err.Error()
		}
		fmt.Fprintf(out, "round %3d  %-4s  %s  %s\n", done, k.verb, story, result)
		if err != nil && r.startOver() != nil {
			break // nothing that follows would mean anything
		}
	}
	fmt.Fprintf(out, "%d passed, %d failed, 0 skipped\n", done-failed, failed)
	if done < rounds {
		return failed, fmt.Errorf("ended after %d of %d rounds", done, rounds)
	}
	return failed, nil
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
