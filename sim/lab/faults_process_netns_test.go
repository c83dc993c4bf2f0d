//go:build netns

package lab_test

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// inject applies a fault that must take hold.
func inject(t *testing.T, l *lab.Lab, f fault.Fault) *fault.Active {
	t.Helper()
	a, err := l.Inject(ctx(t), f)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// heal reverts it, twice, which is once.
func heal(t *testing.T, active ...*fault.Active) {
	t.Helper()
	for _, a := range active {
		if err := errors.Join(a.Heal(ctx(t)), a.Heal(ctx(t))); err != nil {
			t.Fatal(err)
		}
	}
}

// wantNothingPending wants that the ledger has no fault to revert.
func wantNothingPending(t *testing.T, l *lab.Lab) {
	t.Helper()
	pending, err := fault.Pending(filepath.Join(l.Dir(), "ledger.ndjson"))
	if err != nil || len(pending) != 0 {
		t.Errorf("pending in the ledger: %v, %v", pending, err)
	}
}

// wantServed wants that the node connects to the address and is answered by who.
func wantServed(t *testing.T, from *lab.Node, at, who string) {
	t.Helper()
	c, err := dial(t, from, at)
	if err != nil {
		t.Errorf("%s to %s: %v", from.Ref(), at, err)
		return
	}
	if got, err := ask(t, c, 5*time.Second); got != who {
		t.Errorf("%s to %s: got %q (%v), want %q", from.Ref(), at, got, err, who)
	}
}

func TestPeerOfAFrozenProcessConnectsAndHearsNothing(t *testing.T) {
	l := up(t)
	client := node(t, l, "client/inet-1")
	wantServed(t, client, "10.0.1.1:80", "bj/az1/l4-1")
	a := inject(t, l, fault.Freeze{On: "bj/az1/l4-1", Process: "server"})
	c, err := dial(t, client, "10.0.1.1:80")
	if err != nil {
		t.Fatalf("connect to a frozen server: got %v, want that its kernel accepts", err)
	}
	if got, err := ask(t, c, 300*time.Millisecond); !timedOut(err) {
		t.Errorf("a frozen server said %q (%v), want silence", got, err)
	}
	until(t, "the frozen leg is out", func() bool { return !legIn(l, 0) })
	if who := served(t, l, 10); who["bj/az1/l4-2"] != 10 {
		t.Errorf("answers by %v, want l4-2 alone", who)
	}
	heal(t, a)
	until(t, "the leg is back", func() bool { return legIn(l, 0) })
	if got, err := ask(t, c, 5*time.Second); got != "bj/az1/l4-1" {
		t.Errorf("the connection from before: got %q, %v", got, err)
	}
	if w := a.Window(); w.To <= w.From {
		t.Errorf("window %+v", w)
	}
	wantNothingPending(t, l)
}

func TestPeerOfAKilledProcessIsResetAndRefused(t *testing.T) {
	l := up(t)
	client := node(t, l, "client/inet-1")
	c, err := dial(t, client, "10.0.1.1:80")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, c, 2*time.Second); err != nil {
		t.Fatal(err)
	}
	a := inject(t, l, fault.Kill{On: "bj/az1/l4-1", Process: "server"})
	if _, err := ask(t, c, 2*time.Second); err == nil || timedOut(err) {
		t.Errorf("peer of a killed process: got %v, want an end or a reset", err)
	}
	if _, err := dial(t, client, "10.0.1.1:80"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connect to a killed server: got %v, want that it is refused", err)
	}
	heal(t, a)
	wantServed(t, client, "10.0.1.1:80", "bj/az1/l4-1")
	wantNothingPending(t, l)
}

func TestPeerOfAStoppedProcessIsRefusedUntilItIsStartedAgain(t *testing.T) {
	l := up(t)
	client := node(t, l, "client/inet-1")
	wantServed(t, client, "10.0.1.1:80", "bj/az1/l4-1")
	a := inject(t, l, fault.Stop{On: "bj/az1/l4-1", Process: "server"})
	if _, err := dial(t, client, "10.0.1.1:80"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connect to a stopped server: got %v, want that it is refused", err)
	}
	p, err := node(t, l, "bj/az1/l4-1").Proc("server")
	if err != nil || p.Exit().Code != 143 {
		t.Errorf("it ended by %v (%v), want SIGTERM", p.Exit(), err)
	}
	heal(t, a)
	wantServed(t, client, "10.0.1.1:80", "bj/az1/l4-1")
	wantNothingPending(t, l)
}

// withAgents is the small plan with an agent beside the first server.
func withAgents(t *testing.T) *topology.Plan {
	p, file := small("server"), filepath.Join(t.TempDir(), "config")
	n := &p.Nodes[1]
	n.Processes[0].Args = append(n.Processes[0].Args, file)
	n.Processes = append(n.Processes, topology.Process{Name: topology.ProcAgent, Binary: "agent", Args: []string{file}})
	return p
}

func TestWithoutItsAgentANodeServesOnAndLearnsNothing(t *testing.T) {
	l := upPlan(t, withAgents(t))
	client := node(t, l, "client/inet-1")
	c, err := dial(t, client, "10.0.1.1:80")
	if err != nil {
		t.Fatal(err)
	}
	configure := func() error {
		agent, err := dial(t, client, "10.0.1.1:9093")
		if err != nil {
			return err
		}
		got, err := ask(t, agent, 5*time.Second) // what it sends is the configuration
		if err == nil && !strings.HasPrefix(got, "done") {
			t.Errorf("the agent said %q", got)
		}
		return err
	}
	if err := configure(); err != nil {
		t.Fatal(err)
	}
	if got, err := ask(t, c, 5*time.Second); got != "bj/az1/l4-1 who?" {
		t.Errorf("before: got %q, %v", got, err)
	}
	a := inject(t, l, fault.AgentCrash{On: "bj/az1/**"}) // the other node has none
	if err := configure(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("configure without an agent: got %v, want that it is refused", err)
	}
	if got, err := ask(t, c, 5*time.Second); got != "bj/az1/l4-1 who?" {
		t.Errorf("without the agent, on the same connection: got %q, %v", got, err)
	}
	if got := l.Recorder().Snapshot().Faults[0].Targets; len(got) != 1 || got[0] != "bj/az1/l4-1" {
		t.Errorf("touched: %v, want the node that has an agent", got)
	}
	heal(t, a)
	if err := configure(); err != nil {
		t.Errorf("configure after healing: %v", err)
	}
	wantNothingPending(t, l)
}
