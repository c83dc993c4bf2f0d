//go:build netns

package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// A screen is what a terminal has shown so far.
type screen struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(b)
}

func (s *screen) shows(pattern string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return regexp.MustCompile("(?m)" + pattern).Match(s.all.Bytes())
}

// A terminal is where somebody types.
type terminal struct {
	t      *testing.T
	pty    *os.File
	screen screen
}

// run types a line and waits until the terminal shows the pattern.
func (x *terminal) run(line, pattern string) {
	x.t.Helper()
	if _, err := x.pty.WriteString(line); err != nil {
		x.t.Fatal(err)
	}
	defer func() {
		if x.t.Failed() {
			x.t.Logf("the terminal shows\n%s", x.screen.all.String())
		}
	}()
	eventually(x.t, "after "+strings.TrimSpace(line)+" the terminal shows "+pattern, func() bool { return x.screen.shows(pattern) })
}

// await waits for the end of a command.
func await(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatalf("%v has not ended within 10s", cmd.Args)
	}
}

func TestShellHasATerminalOfItsOwn(t *testing.T) {
	b := newBench(t)
	b.must("up", "hello", "--name", "shell")
	cmd := b.command("shell", "client/inet-1")
	cmd.Env = append(cmd.Env, "TERM=dumb") // nothing but text
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 33, Cols: 99})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x := &terminal{t: t, pty: f}
	go func() { _, _ = f.WriteTo(&x.screen) }() // ends with the terminal
	x.run("", `^\[shell client/inet-1\] [#$] `)
	x.run("stty size\n", `^33 99`)
	x.run("cat /proc/net/dev | grep -c eth0\n", `^1\r`)

	// Ctrl-Z stops a job and not the shell; Ctrl-C ends it.
	x.run("sleep 1000\n", `sleep 1000\r`)
	eventually(t, "the job runs", func() bool { return b.pidOf("sleep", "1000") != 0 })
	x.run("\x1a", `Stopped +sleep 1000`)
	x.run("fg\n", `(?s)fg\r.*sleep 1000`)
	x.run("\x03", `\^C`)
	eventually(t, "the job is gone", func() bool { return b.pidOf("sleep", "1000") == 0 })

	if err := pty.Setsize(f, &pty.Winsize{Rows: 44, Cols: 111}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the shell has the new size", func() bool {
		_, _ = f.WriteString("stty size\n")
		return x.screen.shows(`^44 111`)
	})
	if _, err := f.WriteString("exit 7\n"); err != nil {
		t.Fatal(err)
	}
	await(t, cmd)
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("exit code %d, want that of the shell, 7", code)
	}
}

func TestShellThatIsHungUpOrKilledEnds(t *testing.T) {
	b := newBench(t)
	b.must("up", "hello", "--name", "shell")
	for _, s := range []unix.Signal{unix.SIGHUP, unix.SIGKILL} {
		cmd := b.command("shell", "client/inet-1")
		f, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		x := &terminal{t: t, pty: f}
		go func() { _, _ = f.WriteTo(&x.screen) }() // ends with the terminal
		x.run("", `client/inet-1\] [#$] `)
		if b.pidOf("--norc") == 0 {
			t.Error("there is no shell to end")
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		await(t, cmd)
		eventually(t, "the shell is gone after "+s.String(), func() bool { return b.pidOf("--norc") == 0 })
		f.Close()
	}
}
