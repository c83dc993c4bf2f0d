//go:build netns

package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/sandbox"
)

// childVar makes the test binary an agent with the options that it holds. The
// agent reads batches from standard input and tells what it reports on standard
// output: a real process, so that killing it is honest.
const childVar = "AGENT_TEST_CHILD"

const patience = 20 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		os.Exit(runChild())
	}
	sandbox.Main(m)
}

func runChild() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var o Options
	say := func(line string) { fmt.Println(line) }
	if err := json.Unmarshal([]byte(os.Getenv(childVar)), &o); err != nil {
		say("failed " + err.Error())
		return 1
	}
	o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	a, err := New(o, &pipeWatcher{in: json.NewDecoder(os.Stdin)}, talker{say}, func() { say("ready") })
	if err == nil {
		err = a.Run(ctx)
	}
	if err != nil {
		say("failed " + err.Error())
		return 1
	}
	say("ended")
	return 0
}

// talker is a reporter that writes lines.
type talker struct{ say func(string) }

func (t talker) Applied(prefix string, rev int64) { t.say(fmt.Sprintf("applied %s %d", prefix, rev)) }
func (t talker) Refuse(key string, _ error)       { t.say("refused " + key) }
func (t talker) Accept(key string)                { t.say("accepted " + key) }

// pipeWatcher hands out batches that the test writes.
type pipeWatcher struct {
	in      *json.Decoder
	once    sync.Once
	mu      sync.Mutex
	batches map[string]chan store.Batch
}

func (p *pipeWatcher) of(prefix string) chan store.Batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.batches == nil {
		p.batches = make(map[string]chan store.Batch)
	}
	prefix = strings.TrimSuffix(prefix, "/")
	if p.batches[prefix] == nil {
		p.batches[prefix] = make(chan store.Batch, 16)
	}
	return p.batches[prefix]
}

func (p *pipeWatcher) Watch(ctx context.Context, prefix string, apply func(store.Batch)) error {
	p.once.Do(func() {
		go func() {
			for {
				var b store.Batch
				if p.in.Decode(&b) != nil {
					return
				}
				p.of(b.Prefix) <- b
			}
		}()
	})
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b := <-p.of(prefix):
			apply(b)
		}
	}
}

// A child is an agent in its own process.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    *json.Encoder
	lines chan string
	once  sync.Once
}

// startAgent starts an agent inside a namespace.
func startAgent(t *testing.T, thread *netns.Thread, ns *netns.NS, o Options) *child {
	t.Helper()
	env, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	childIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: exec.Command("/proc/self/exe"), in: json.NewEncoder(in), lines: make(chan string, 1024)}
	c.cmd.Env = append(os.Environ(), childVar+"="+string(env))
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = childIn, childOut, os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	err = thread.Do(ns, c.cmd.Start)
	childIn.Close()
	childOut.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.lines)
		defer out.Close()
		for s := bufio.NewScanner(out); s.Scan(); {
			c.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { in.Close(); c.kill() })
	return c
}

// feed hands a batch to the agent.
func (c *child) feed(prefix string, rev int64, reset bool, puts []store.KV, deletes ...string) {
	c.t.Helper()
	b := store.Batch{Prefix: prefix, Revision: rev, Reset: reset, Puts: puts, Deletes: deletes}
	if err := c.in.Encode(b); err != nil {
		c.t.Fatal(err)
	}
}

// expect reads lines until one is the wanted; unwanted ones of the second kind
// end the test.
func (c *child) expect(want string) {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, ok := <-c.lines:
			if !ok || strings.HasPrefix(line, "failed ") && !strings.HasPrefix(want, "failed ") {
				c.t.Fatalf("agent said %q and ended; want %q", line, want)
			}
			if strings.HasPrefix(line, want) {
				return
			}
		case <-deadline:
			c.t.Fatalf("agent did not say %q in %s", want, patience)
		}
	}
}

func (c *child) signal(s os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// kill ends the process at once, if it has not ended.
func (c *child) kill() {
	c.once.Do(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
}
