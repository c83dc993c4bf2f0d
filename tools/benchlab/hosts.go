package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/sandbox"
)

// buildWord starts this program as a builder of hosts: "build ours 100".
const buildWord = "build"

// The builders.
const (
	byOurs    = "ours"
	byMininet = "mininet"
)

const ourHosts = "ours: a topology with N clients, each a namespace with one veth to the edge router; "

// compared says what stands beside what.
func compared() string {
	if _, err := mininetPython(); err != nil {
		return ourHosts + byMininet + ": " + err.Error()
	}
	return ourHosts + "mininet: --topo single,N --switch lxbr --controller none; in both the first host then reaches the last"
}

// hostsOf measures how long it takes until n hosts are there, and the CPU time, by
// our fabric and by mininet, each in a sandbox of its own. Times end when the
// network is built, and do not begin before the program is loaded. Mininet's CPU
// time includes the end of its shells.
func hostsOf(n int) func(context.Context, Settings) ([]Sample, error) {
	return func(ctx context.Context, _ Settings) ([]Sample, error) {
		ours, err := build(ctx, byOurs, n)
		if err != nil {
			return nil, err
		}
		out := []Sample{{"ours-wall", "s", ours.Wall}, {"ours-cpu", "s", ours.CPU}}
		if _, err := mininetPython(); err != nil {
			return out, nil // compared says so
		}
		theirs, err := build(ctx, byMininet, n)
		if err != nil {
			return nil, err
		}
		times, errWall := ratio(theirs.Wall, ours.Wall)
		cpuTimes, errCPU := ratio(theirs.CPU, ours.CPU)
		return append(out,
			Sample{"mininet-wall", "s", theirs.Wall}, Sample{"mininet-cpu", "s", theirs.CPU},
			Sample{"times", "ours = 1", times}, Sample{"cpu-times", "ours = 1", cpuTimes}), errors.Join(errWall, errCPU)
	}
}

// mininetPython is the Python that mn runs with, which has its library.
func mininetPython() (string, error) {
	mn, err := exec.LookPath("mn")
	if err != nil {
		return "", errors.New("not installed")
	}
	f, err := os.Open(mn)
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	python, ok := strings.CutPrefix(strings.TrimSpace(line), "#!")
	if err != nil || !ok {
		return "", fmt.Errorf("%s is no script: %q", mn, line)
	}
	if _, err := exec.LookPath("brctl"); err != nil {
		return "", errors.New("its bridge needs brctl, which is not installed")
	}
	return python, nil
}

// built is what a builder says: at first that it is ready, then what it did.
type built struct {
	Ready   bool    `json:"ready,omitempty"`
	Wall    float64 `json:"wall,omitempty"` // seconds
	CPU     float64 `json:"cpu,omitempty"`  // seconds
	Reached bool    `json:"reached,omitempty"`
	Error   string  `json:"error,omitempty"`
}

// build lets a builder build n hosts in a sandbox, lets it end, and all that it built
// with it, and waits until the kernel has freed that: the next finds an idle kernel.
func build(ctx context.Context, who string, n int) (b built, err error) {
	const within = 5 * time.Minute
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("not within %s", within))
	defer cancel()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%d hosts by %s: %w", n, who, err)
		}
	}()
	ear, say, err := os.Pipe()
	if err != nil {
		return b, err
	}
	defer ear.Close()
	order, orders, err := os.Pipe()
	if err != nil {
		return b, errors.Join(err, say.Close())
	}
	defer orders.Close()
	noise, err := os.CreateTemp("", "benchlab-")
	if err != nil {
		return b, errors.Join(err, say.Close(), order.Close())
	}
	defer func() { err = errors.Join(err, noise.Close(), os.Remove(noise.Name())) }()
	box, err := sandbox.Start(sandbox.Options{Args: []string{buildWord, who, strconv.Itoa(n)}, Stdin: order, Stdout: say, Stderr: noise})
	if err := errors.Join(err, say.Close(), order.Close()); err != nil {
		return b, err
	}
	stop := context.AfterFunc(ctx, func() { _ = ear.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	b, err = converse(bufio.NewReader(ear), orders)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		told, _ := os.ReadFile(noise.Name()) // it may say why; it need not
		err = fmt.Errorf("%w\n%s", err, bytes.TrimSpace(told))
		_ = box.Kill() // it may have ended
	}
	// A builder that ends by itself is waited for, and so its CPU time is known to
	// be ours; of one that is killed the kernel forgets it.
	_ = orders.Close()
	_, errBox := box.Wait()
	return b, errors.Join(err, errBox, awaitFreed(context.WithoutCancel(ctx)))
}

// converse waits until the builder is ready, lets it build and reads what it says.
func converse(from *bufio.Reader, orders *os.File) (b built, err error) {
	if b, err = hear(from); err != nil || !b.Ready {
		return b, errors.Join(err, errors.New("it was never ready"))
	}
	if _, err = orders.WriteString("\n"); err != nil {
		return b, err
	}
	if b, err = hear(from); err != nil {
		return b, err
	}
	if !b.Reached {
		return b, errors.New("the first host does not reach the last: " + b.Error)
	}
	return b, nil
}

func hear(from *bufio.Reader) (b built, _ error) {
	line, err := from.ReadBytes('\n')
	if err != nil {
		return b, fmt.Errorf("hear of the builder: %w", err)
	}
	if err := json.Unmarshal(line, &b); err != nil {
		return b, fmt.Errorf("hear of the builder: %q: %w", line, err)
	}
	return b, nil
}
