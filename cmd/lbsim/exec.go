package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
	"github.com/unilb/unilb/topology"
)

func execCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{
		Use: "exec NODE -- COMMAND [ARGS]", Short: "Run a command in a node, with these streams and its exit code",
		Example: "  lbsim exec client/inet-1 -- curl -s http://203.0.113.10/",
		Args:    args(cobra.MinimumNArgs(2)), ValidArgsFunction: orFiles(first(nodeRefs)),
	}
	name := labFlag(cmd)
	cmd.Flags().SetInterspersed(false) // what follows the node is the command's
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		client, _, err := open(*name)
		if err != nil {
			return err
		}
		argv := a[1:]
		if argv[0] == "--" {
			argv = argv[1:]
		}
		command, err := commandOf(argv)
		if err != nil {
			return err
		}
		if out.json {
			return execJSON(cmd, out, client, a[0], command)
		}
		return execStreams(cmd, client, a[0], command, os.Stdin, os.Stdout, os.Stderr)
	}
	return cmd
}

// commandOf finds the program here: the node has the same files.
func commandOf(argv []string) (lab.Command, error) {
	if len(argv) == 0 {
		return lab.Command{}, inputError(errors.New("no command; see: lbsim exec --help"))
	}
	path, err := exec.LookPath(argv[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return lab.Command{}, inputError(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		return lab.Command{}, fmt.Errorf("find working directory: %w", err)
	}
	env := map[string]string{}
	for _, k := range []string{"PATH", "HOME", "TERM", "LANG"} {
		if v, ok := os.LookupEnv(k); ok {
			env[k] = v
		}
	}
	return lab.Command{Path: path, Args: argv[1:], Env: env, Dir: dir}, nil
}

// execStreams runs the command and ends with its exit code. An interrupt is the
// command's.
func execStreams(cmd *cobra.Command, c *supervisor.Client, node string, command lab.Command, stdin, stdout, stderr *os.File) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP)
	defer signal.Stop(signals)
	code, err := c.Exec(withoutInterrupt(cmd), topology.Ref(node), command, signals, stdin, stdout, stderr)
	if err != nil {
		return err
	}
	if code != 0 {
		return &exitError{code: code}
	}
	return nil
}

// execJSON runs the command and prints what it wrote as one object.
func execJSON(cmd *cobra.Command, out *output, c *supervisor.Client, node string, command lab.Command) error {
	var streams [2]*os.File
	for i := range streams {
		fd, err := unix.MemfdCreate("output", unix.MFD_CLOEXEC)
		if err != nil {
			return fmt.Errorf("keep output: %w", err)
		}
		streams[i] = os.NewFile(uintptr(fd), "output")
		defer streams[i].Close()
	}
	start := time.Now()
	err := execStreams(cmd, c, node, command, os.Stdin, streams[0], streams[1])
	result := map[string]any{"node": node, "code": 0, "took": time.Since(start)}
	var exit *exitError
	if errors.As(err, &exit) && exit.err == nil {
		result["code"] = exit.code
	} else if err != nil {
		return err
	}
	for i, name := range []string{"stdout", "stderr"} {
		const most = 64 << 20
		b, err := io.ReadAll(io.NewSectionReader(streams[i], 0, most))
		if err != nil {
			return fmt.Errorf("read output: %w", err)
		}
		result[name] = string(b)
	}
	return errors.Join(out.object("exec", result), err)
}
