package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

// ErrDown is returned by what is asked of a lab that has been taken down.
var ErrDown = errors.New("the lab is down")

// A Lab is a running lab.
type Lab struct {
	given  *topology.Plan
	plan   *topology.Plan // the same, placed
	o      Options
	dir    string
	nodes  map[topology.Ref]*Node
	order  []*Node // as in the plan
	wires  []*Wire // as in the plan
	edges  []*spreader
	runner *proc.Runner
	ledger *fault.Ledger
	rec    *history.Recorder
	keys   *adminKeys // of its l7admins; nil: it has none

	mu     sync.Mutex
	down   bool
	ready  bool
	doom   context.CancelCauseFunc // ends the bringing up
	active []*fault.Active
	faults int
	downed sync.Once
	err    error // of Down
}

// Up builds the lab and returns when every process is ready, every VIP is spread
// over all its L4 nodes and the tenants' networks are registered. When it fails
// nothing remains; the error wraps *MissingBinaries when programs are not there,
// *Unavailable when the machine cannot run the plan, and *proc.NotReady when a
// process was the reason.
func Up(ctx context.Context, p *topology.Plan, o Options) (*Lab, error) {
	if o.Gateway == nil {
		if err := CheckGateways(p); err != nil {
			return nil, fmt.Errorf("bring up %s: %w", p.Lab, err)
		}
	}
	o = o.filled()
	l := &Lab{given: p, plan: placed(p), o: o, rec: o.Recorder, nodes: map[topology.Ref]*Node{}}
	if err := l.up(ctx); err != nil {
		fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.ReadyWithin)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("bring up %s: %w", p.Lab, err), l.Down(fresh))
	}
	return l, nil
}

// up builds the lab; a process that ends when it has been ready ends this, too.
func (l *Lab) up(ctx context.Context) error {
	ctx, doom := context.WithCancelCause(ctx)
	defer doom(nil)
	l.doom = doom
	err := l.build(ctx)
	var lost *proc.NotReady
	if err != nil && errors.As(context.Cause(ctx), &lost) {
		return lost // all else failed because of it
	}
	return err
}

func (l *Lab) build(ctx context.Context) error {
	if err := CheckBinaries(l.plan, l.o.BinDir); err != nil {
		return err
	}
	if err := sandbox.Probe(sandbox.CapNetNS); err != nil {
		return &Unavailable{Lab: l.plan.Lab, Lacks: sandbox.CapNetNS, Why: err, Works: stillWorks[sandbox.CapNetNS]}
	}
	if err := l.open(); err != nil {
		return err
	}
	// Attaching an eBPF program waits for the kernel's grace period, and so does
	// much of building a network: trying and building wait together.
	needs := make(chan error, 1)
	go func() { needs <- checkNeeds(l.plan) }()
	built := l.step("network", func() (string, error) { return l.buildNetwork(ctx) })
	if err := <-needs; err != nil {
		return err // it says more than what failed because of it
	}
	if built != nil {
		return built
	}
	if err := l.startEchoes(); err != nil {
		return err
	}
	for _, stage := range l.stages() {
		if err := l.step(fmt.Sprintf("stage %d", stage), func() (string, error) { return l.startStage(ctx, stage) }); err != nil {
			return err
		}
	}
	if len(l.edges) > 0 {
		if err := l.step("spread", func() (string, error) { return l.awaitSpread(ctx) }); err != nil {
			return err
		}
	}
	if l.hasTenants() {
		if err := l.step("tenants", func() (string, error) { return l.registerTenants(ctx) }); err != nil {
			return err
		}
	}
	l.mu.Lock()
	l.ready = true
	l.mu.Unlock()
	return nil
}

// open makes the directories, the runner of processes and the ledger.
func (l *Lab) open() error {
	l.dir = l.o.Dir
	if l.dir == "" {
		l.dir = filepath.Join(sandbox.Dir, l.plan.Lab)
	}
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return fmt.Errorf("make directory of the lab: %w", err)
	}
	var err error
	if l.keys, err = newAdminKeys(l.plan); err != nil {
		return err
	}
	if l.runner, err = proc.NewRunner(filepath.Join(l.dir, "logs"), filepath.Join(sandbox.Dir, "ready", l.plan.Lab)); err != nil {
		return err
	}
	l.ledger, err = fault.OpenLedger(filepath.Join(l.dir, "ledger.ndjson"))
	return err
}

// step runs one part of Up and reports it.
func (l *Lab) step(name string, f func() (string, error)) error {
	start := l.rec.Now()
	text, err := f()
	if err != nil {
		return err
	}
	s := Step{Name: name, Text: text, Took: l.rec.Now() - start}
	l.event("step", "", fmt.Sprintf("%s: %s", s.Name, s.Text))
	l.o.Progress(s)
	return nil
}

func (l *Lab) event(kind string, node topology.Ref, text string) {
	l.rec.Event(history.Event{Kind: kind, Node: node, Text: text})
}

// Plan is what the lab was built from.
func (l *Lab) Plan() *topology.Plan { return l.given }

// Dir is the directory with logs/ and ledger.ndjson.
func (l *Lab) Dir() string { return l.dir }

// Recorder has the evidence so far, and the run's clock.
func (l *Lab) Recorder() *history.Recorder { return l.rec }

// Node returns the node named ref.
func (l *Lab) Node(ref topology.Ref) (*Node, error) {
	n, ok := l.nodes[ref]
	if !ok {
		return nil, fmt.Errorf("no node %q in lab %s", ref, l.plan.Lab)
	}
	return n, nil
}

// Select returns the nodes that the selector matches, in plan order.
func (l *Lab) Select(s topology.Selector) []*Node {
	var out []*Node
	for _, n := range l.order {
		if s.Match(n.Ref()) {
			out = append(out, n)
		}
	}
	return out
}
