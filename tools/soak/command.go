package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A command is one command line of lbsim. It writes into files: nobody waits for a
// process that has kept a pipe.
type command struct {
	cmd   *exec.Cmd
	begun time.Time
	took  time.Duration
	done  chan struct{}
	files [2]string
}

func (r *rig) start(args ...string) (*command, error) {
	c := &command{cmd: exec.Command(filepath.Join(r.bin, "lbsim"), args...), done: make(chan struct{}), begun: time.Now()}
	c.cmd.Env, c.cmd.Dir = r.env, r.out()
	var streams [2]*os.File
	for i := range streams {
		f, err := os.CreateTemp(r.out(), args[0]+"-")
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		streams[i], c.files[i] = f, f.Name()
	}
	c.cmd.Stdout, c.cmd.Stderr = streams[0], streams[1]
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = c.cmd.Wait() // the state says it
		c.took = time.Since(c.begun)
		close(c.done)
	}()
	return c, nil
}

// wait waits for the end and returns the exit code: -1 when a signal ended it.
func (c *command) wait() (int, error) {
	limit := time.NewTimer(endLimit)
	defer limit.Stop()
	select {
	case <-c.done:
		return c.cmd.ProcessState.ExitCode(), nil
	case <-limit.C:
		_ = c.cmd.Process.Kill()
		<-c.done
		return 0, fmt.Errorf("lbsim %s had not ended after %s\n%s", strings.Join(c.cmd.Args[1:], " "), endLimit, c.said())
	}
}

// said is what the command wrote, results first.
func (c *command) said() string {
	var out bytes.Buffer
	for _, name := range c.files {
		if text, err := os.ReadFile(name); err == nil {
			out.Write(text)
		}
	}
	return out.String()
}

// lbsim runs a command to its end, wants the exit code and returns what it said.
func (r *rig) lbsim(want int, args ...string) (said string, took time.Duration, err error) {
	c, err := r.start(args...)
	if err != nil {
		return "", 0, err
	}
	code, err := c.wait()
	if err == nil && code != want {
		err = fmt.Errorf("lbsim %s: exit code %d, want %d: %s", strings.Join(args, " "), code, want, c.said())
	}
	return c.said(), c.took, err
}

// kill ends one process, by its id.
func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
