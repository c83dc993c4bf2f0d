package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/unilb/unilb/sim/capture"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
	"github.com/unilb/unilb/topology"
)

func captureCommand(out *output) *cobra.Command {
	var o supervisor.CaptureOptions
	var file string
	cmd := &cobra.Command{
		Use: "capture LINK|NODE", Short: "Write the traffic of links of a running lab to a pcapng", Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: onlyWords(first(linksAndNodes)),
		Long: fmt.Sprintf("Write the traffic of links of a running lab to a pcapng file for Wireshark.\n\nOf a wire that is what it has kept of the last moments. With --for, and of any other\n"+
			"link, it is what passes from now on: until an interrupt, at most %s, %d MiB and %d links.", lab.MaxSniff, capture.DefaultStreamBytes>>20, lab.MaxSniffed),
		Example: "  lbsim capture bj/az1/router--bj/az2/router\n  lbsim capture bj/az1/l7-1 --for 10s\n  lbsim capture 'client/*' --out - | tshark -r -",
	}
	name := labFlag(cmd)
	cmd.Flags().StringVarP(&file, "out", "o", "", "new file to write, - for stdout (default: named after the link)")
	cmd.Flags().DurationVar(&o.For, "for", 0, "how long to listen")
	cmd.Flags().BoolVar(&o.Ring, "ring", false, "what the wires have kept, also when other links are selected")
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		o.Links = topology.LinkSelector(a[0])
		if o.For < 0 || o.For > lab.MaxSniff {
			return inputError(fmt.Errorf("--for %s: want more than 0s and at most %s", o.For, lab.MaxSniff))
		}
		if o.Ring && o.For > 0 {
			return inputError(errors.New("--ring is what the wires have kept, --for what passes from now on: choose one"))
		}
		client, _, err := open(*name)
		if err != nil {
			return err
		}
		if file == "-" {
			return captureToStdout(cmd.Context(), out, client, o)
		}
		if file == "" {
			file = captureName(a[0])
		}
		return captureToFile(cmd.Context(), out, client, o, file)
	}
	return cmd
}

// captureName makes the name of a file of a selector.
func captureName(links string) string {
	return strings.Trim(strings.NewReplacer("/", "-", "*", "").Replace(links), "-") + ".pcapng"
}

// newFile makes a file that must not exist. What a user points us to is never
// overwritten.
func newFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, inputError(fmt.Errorf("%s exists; remove it or name another with --out", path))
	}
	return f, inputError(err)
}

func captureToFile(ctx context.Context, out *output, c *supervisor.Client, o supervisor.CaptureOptions, path string) error {
	f, err := newFile(path)
	if err != nil {
		return err
	}
	got, err := captureInto(ctx, c, o, f)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path) // it is ours, and useless
		return err
	}
	if out.json {
		return out.object("capture", struct {
			File string `json:"file"`
			lab.Captured
		}{path, got})
	}
	_, err = fmt.Fprintf(out.to, "%s   %s\n", path, captureText(got))
	return err
}

// captureToStdout copies by itself: when it dies, so does the pipe into which the
// supervisor writes.
func captureToStdout(ctx context.Context, out *output, c *supervisor.Client, o supervisor.CaptureOptions) error {
	if term.IsTerminal(int(os.Stdout.Fd())) {
		return inputError(errors.New("a capture is not for terminals; write it to a file, or pipe it: lbsim capture ... --out - | tshark -r -"))
	}
	if out.json {
		return inputError(errors.New("--json and --out - both want stdout; write the capture to a file"))
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make pipe: %w", err)
	}
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(os.Stdout, r)
		_ = r.Close() // the supervisor's next write tells it
		copied <- err
	}()
	got, err := captureInto(ctx, c, o, w)
	_ = w.Close() // whoever has written has its own copy
	cerr := <-copied
	if errors.Is(cerr, unix.EPIPE) {
		return nil // the reader had enough
	}
	if err == nil && cerr == nil {
		progress("%s", captureText(got))
	}
	return errors.Join(err, cerr)
}

func captureInto(ctx context.Context, c *supervisor.Client, o supervisor.CaptureOptions, f *os.File) (lab.Captured, error) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	defer signal.Stop(signals)
	if o.For == 0 && !o.Ring && term.IsTerminal(int(os.Stderr.Fd())) {
		progress("capturing %s; Ctrl-C ends it", o.Links)
	}
	return c.Capture(context.WithoutCancel(ctx), o, signals, f)
}

func captureText(c lab.Captured) string {
	what := fmt.Sprintf("passed %s in %s", counted(len(c.Links), "link"), c.Took.Round(time.Millisecond))
	if c.Ring {
		what = "kept by " + counted(len(c.Links), "wire")
	}
	s := fmt.Sprintf("%d frames %s", c.Frames, what)
	if c.Missing > 0 {
		s += fmt.Sprintf(", %d more are not in the file", c.Missing)
	}
	if c.Full {
		s += ", which is full"
	}
	return s
}

// counted is a number of things.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
