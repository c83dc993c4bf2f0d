package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"github.com/creack/pty"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
	"github.com/unilb/unilb/topology"
)

func shellCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{
		Use: "shell NODE", Short: "Open a shell in a node", Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: onlyWords(first(nodeRefs)),
		Long:              "Open a shell in a node, with its network and the files of this machine. The prompt says\nwhere it is; it ends with the exit code of the shell.",
		Example:           "  lbsim shell bj/az1/l7-1",
	}
	name := labFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		client, e, err := open(*name)
		if err != nil {
			return err
		}
		if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
			return inputError(fmt.Errorf("shell needs a terminal; without one: lbsim exec %s -- COMMAND", a[0]))
		}
		command, err := shellOf(e.Name, a[0])
		if err != nil {
			return err
		}
		code, err := runShell(cmd, client, topology.Ref(a[0]), command)
		if err != nil {
			return err
		}
		if out.json {
			if err := out.object("shell", map[string]any{"node": a[0], "code": code}); err != nil {
				return err
			}
		}
		if code != codeGood {
			return &exitError{code: code}
		}
		return nil
	}
	return cmd
}

// shellOf is bash, or what else there is, without the user's own prompt.
func shellOf(name, node string) (lab.Command, error) {
	argv := []string{"bash", "--noprofile", "--norc", "-i"}
	if _, err := exec.LookPath(argv[0]); err != nil {
		argv = []string{"sh", "-i"}
	}
	c, err := commandOf(argv)
	if err != nil {
		return c, err
	}
	c.Terminal = true
	sign := "$"
	if os.Geteuid() == 0 {
		sign = "#"
	}
	c.Env["PS1"] = fmt.Sprintf("[%s %s] %s ", name, node, sign)
	return c, nil
}

// drainLimit is how long the last output of a shell may take. What a background
// job writes later is lost.
const drainLimit = 500 * time.Millisecond

// runShell joins this terminal to one that the shell has for itself. The
// terminal is as it was when it returns.
func runShell(cmd *cobra.Command, c *supervisor.Client, node topology.Ref, command lab.Command) (int, error) {
	ours, theirs, err := pty.Open()
	if err != nil {
		return 0, fmt.Errorf("open terminal: %w", err)
	}
	defer ours.Close()
	defer theirs.Close()
	if err := pty.InheritSize(os.Stdin, ours); err != nil {
		return 0, fmt.Errorf("set up terminal: %w", err)
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGHUP, unix.SIGTERM)
	defer signal.Stop(signals)
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, unix.SIGWINCH)
	go func() {
		for range resized {
			_ = pty.InheritSize(os.Stdin, ours) // the next one may do better
		}
	}()
	defer close(resized)
	defer signal.Stop(resized)

	before, err := term.MakeRaw(int(os.Stdin.Fd()))
	if err != nil {
		return 0, fmt.Errorf("set up terminal: %w", err)
	}
	defer func() { _ = term.Restore(int(os.Stdin.Fd()), before) }() // nothing else could be done
	written := make(chan struct{})
	go func() { _, _ = io.Copy(ours, os.Stdin) }() // ends with this process
	go func() { _, _ = io.Copy(os.Stdout, ours); close(written) }()
	code, err := c.Exec(withoutInterrupt(cmd), node, command, hangups(signals), theirs, theirs, theirs)
	theirs.Close() // reading ends when nobody has it open any more
	select {
	case <-written:
	case <-time.After(drainLimit):
	}
	return code, err
}

// hangups passes every signal on as the one by which a terminal says that it is
// gone: an interactive shell ignores SIGTERM.
func hangups(signals <-chan os.Signal) <-chan os.Signal {
	out := make(chan os.Signal, 1)
	go func() {
		for range signals {
			out <- unix.SIGHUP
		}
	}()
	return out
}
