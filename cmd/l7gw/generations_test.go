package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

// asGateway makes this test binary the command.
const asGateway = "UNILB_TEST_AS_L7GW"

func TestMain(m *testing.M) {
	if os.Getenv(asGateway) != "" {
		os.Exit(run(os.Args[1:], os.Getenv))
	}
	os.Exit(m.Run())
}

// longest is far beyond what anything here takes.
const longest = 60 * time.Second

// generations are processes of the gateway, each of which took over from the one before.
type generations struct {
	t                    *testing.T
	etcd                 *etcdtest.Server
	binary               string // a link
	data, secure, status string
	log                  string // file of all of them
	pids                 []int
}

// startGateway starts the first. The link that it is started by may be set to another
// binary.
func startGateway(t *testing.T, flags ...string) *generations {
	t.Helper()
	// So that we are the parent of those whose parent has ended.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	g := &generations{t: t, etcd: etcdtest.Start(t), binary: filepath.Join(dir, "l7gw"), data: freeAddr(t), secure: freeAddr(t), status: freeAddr(t), log: filepath.Join(dir, "log")}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	g.link(self)
	out, err := os.Create(g.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	c := exec.Command(g.binary, append([]string{"--node", "a", "--etcd", g.etcd.Endpoint(), "--listen", g.data, "--listen-tls", g.secure,
		"--status-listen", g.status, "--control", freeAddr(t), "--drain-delay", "0s"}, flags...)...)
	c.Env = append(os.Environ(), asGateway+"=1")
	c.Stderr = out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	g.pids = []int{c.Process.Pid}
	t.Cleanup(func() {
		g.learn()
		for _, pid := range g.pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			_, _ = syscall.Wait4(pid, nil, 0, nil) // those that were waited for are no children any more
		}
		if t.Failed() {
			b, _ := os.ReadFile(g.log)
			t.Logf("log of all processes:\n%s", b)
		}
	})
	g.until("is ready", func() bool { return g.ready() == nil })
	return g
}

// link puts a binary where the gateway was started from.
func (g *generations) link(binary string) {
	g.t.Helper()
	next := g.binary + ".new"
	if err := os.Symlink(binary, next); err != nil {
		g.t.Fatal(err)
	}
	if err := os.Rename(next, g.binary); err != nil {
		g.t.Fatal(err)
	}
}

// script puts a program there that does something else.
func (g *generations) script(text string) {
	g.t.Helper()
	path := filepath.Join(g.t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		g.t.Fatal(err)
	}
	g.link(path)
}

// restart asks the newest process for a restart.
func (g *generations) restart() {
	g.t.Helper()
	if err := syscall.Kill(g.pids[len(g.pids)-1], syscall.SIGUSR2); err != nil {
		g.t.Fatal(err)
	}
}

// next restarts, waits until another process answers as the gateway, and returns the pid of
// the one before.
func (g *generations) next() (before int) {
	g.t.Helper()
	instance, many := g.instance(), len(g.pids)
	g.restart()
	g.until("is taken over", func() bool { return g.instance() != instance })
	g.learn()
	if len(g.pids) != many+1 {
		g.t.Fatalf("processes %v, want one more than %d", g.pids, many)
	}
	return g.pids[many-1]
}

// learn reads from the log who was started.
func (g *generations) learn() {
	b, err := os.ReadFile(g.log)
	if err != nil {
		g.t.Error(err)
	}
	pids := g.pids[:1]
	for line := range bytes.Lines(b) {
		var said struct {
			Msg string
			PID int
		}
		if json.Unmarshal(line, &said) == nil && said.Msg == "restart: successor started" {
			pids = append(pids, said.PID)
		}
	}
	g.pids = pids
}

// said waits until a process has logged something.
func (g *generations) said(text string) {
	g.t.Helper()
	g.until("says "+text, func() bool {
		b, _ := os.ReadFile(g.log)
		return bytes.Contains(b, []byte(text))
	})
}

// ended waits until a process has ended, and well as far as we are its parent: one that
// ends before its own parent is none of ours.
func (g *generations) ended(pid int) {
	g.t.Helper()
	var status syscall.WaitStatus
	g.until(fmt.Sprint("has no process ", pid), func() bool {
		got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
		return err == nil && got == pid || errors.Is(err, syscall.ECHILD) && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	})
	if status.ExitStatus() != 0 {
		g.t.Errorf("process %d ended with %d, want 0", pid, status.ExitStatus())
	}
}

func (g *generations) until(what string, f func() bool) {
	g.t.Helper()
	for end := time.Now().Add(longest); !f(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			g.t.Fatalf("not within %s: the gateway %s", longest, what)
		}
	}
}

// fresh asks on a new connection each time, as L4 does.
var fresh = &http.Client{Timeout: longest, Transport: &http.Transport{DisableKeepAlives: true}}

// ask reads a JSON answer of the status listener.
func (g *generations) ask(path string, into any) error {
	resp, err := fresh.Get("http://" + g.status + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

func (g *generations) ready() error { return g.ask("/status/ready", new(any)) }

func (g *generations) instance() string {
	g.t.Helper()
	var status struct{ Instance string }
	if err := g.ask("/status", &status); err != nil {
		g.t.Fatal(err)
	}
	return status.Instance
}
