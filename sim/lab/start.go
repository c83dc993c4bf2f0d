package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/topology"
)

// configPrefix is where the configuration of gateways begins in the store.
const configPrefix = "/apisix"

// A slot is a process of the plan; which child fills it changes with restarts.
type slot struct {
	plan    topology.Process
	starts  sync.Mutex // one start at a time
	process *proc.Process
}

// stages returns the stages of the plan in ascending order.
func (l *Lab) stages() []int {
	var out []int
	for i := range l.plan.Nodes {
		for _, p := range l.plan.Nodes[i].Processes {
			if !slices.Contains(out, p.Stage) {
				out = append(out, p.Stage)
			}
		}
	}
	slices.Sort(out)
	return out
}

// startStage starts the processes of one stage together and waits for all.
func (l *Lab) startStage(ctx context.Context, stage int) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.o.ReadyWithin,
		fmt.Errorf("not within %v", l.o.ReadyWithin))
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	count := map[string]int{}
	for _, n := range l.order {
		for _, p := range n.plan.Processes {
			if p.Stage != stage {
				continue
			}
			count[p.Name]++
			wg.Go(func() {
				if err := n.run(ctx, p.Name); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
					cancel() // the others need not be waited for
				}
			})
		}
	}
	wg.Wait()
	if len(errs) > 0 {
		return "", errs[0] // the others were cancelled because of it
	}
	return tally(count), nil
}

func tally(count map[string]int) string {
	var parts []string
	for name, n := range count {
		parts = append(parts, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// run starts a process of the plan and waits until it is ready. It does nothing
// when the process runs.
func (n *Node) run(ctx context.Context, name string, args ...string) error {
	n.mu.Lock()
	s := n.procs[name]
	n.mu.Unlock()
	if s == nil {
		return fmt.Errorf("no process %q on %s", name, n.Ref())
	}
	s.starts.Lock()
	defer s.starts.Unlock()
	n.mu.Lock()
	p, off := s.process, n.off
	n.mu.Unlock()
	if off {
		return fmt.Errorf("start %s on %s: the node has no power", name, n.Ref())
	}
	if p != nil && p.Ending() {
		if _, err := p.Wait(ctx); err != nil {
			return err
		}
	}
	if p != nil && p.Running() {
		return p.WaitReady(ctx)
	}
	spec, within, err := n.spec(s.plan)
	if err != nil {
		return err
	}
	spec.Args = append(slices.Clone(spec.Args), args...)
	if p, err = n.lab.runner.Start(spec); err != nil {
		if s.plan.Gateway { // what is not a program is the gateway's fault, not the lab's
			return &proc.NotReady{Name: spec.Name, Err: err}
		}
		return err
	}
	if within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, within, fmt.Errorf("not within %v", within))
		defer cancel()
	}
	n.mu.Lock()
	s.process = p
	n.mu.Unlock()
	go n.watch(s, p)
	if err := p.WaitReady(ctx); err != nil {
		return err
	}
	n.lab.event("process", n.Ref(), fmt.Sprintf("%s is ready after %v", name, p.ReadyAfter()))
	return nil
}

// watch records the end of a process, whoever caused it.
func (n *Node) watch(s *slot, p *proc.Process) {
	<-p.Done()
	if n.lab.isDown() {
		return
	}
	n.lab.event("process", n.Ref(), fmt.Sprintf("%s ended: %s", s.plan.Name, p.Exit()))
	n.lab.mu.Lock()
	ready := n.lab.ready
	n.lab.mu.Unlock()
	if !ready && p.ReadyAfter() > 0 {
		// Others would wait for it in vain, each as long as it may.
		n.lab.doom(&proc.NotReady{Name: p.Name(), Log: p.Tail(tailBytes), Err: fmt.Errorf("it was ready, and ended while the lab came up: %s", p.Exit())})
	}
}

// tailBytes is how much of a log an error quotes.
const tailBytes = 2048

// Restart starts a process of the plan that has ended, and waits until it is
// ready, for as long as a stage may take. It does nothing when the process runs. The
// arguments are added to those of the plan for this start. The error is
// *proc.NotReady when the process was the reason.
func (n *Node) Restart(ctx context.Context, name string, args ...string) error {
	within := n.lab.o.ReadyWithin
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("not within %v", within))
	defer cancel()
	return n.run(ctx, name, args...)
}

// spec is how the process is started, the gateway under test by its driver, and
// how long it may take until it is ready; 0: as long as its stage.
func (n *Node) spec(p topology.Process) (spec proc.Spec, within time.Duration, err error) {
	spec = proc.Spec{Name: string(n.Ref()) + "/" + p.Name, NS: n.ns}
	if err := n.makeDirs(p); err != nil {
		return spec, 0, fmt.Errorf("start %s on %s: %w", p.Name, n.Ref(), err)
	}
	if !p.Gateway {
		spec.Path, spec.Args, spec.Env = filepath.Join(n.lab.o.BinDir, p.Binary), p.Args, p.Env
		if p.Name == topology.ProcAdmin {
			spec.Args = slices.Concat(p.Args, n.lab.o.AdminArgs)
		}
		return spec, 0, nil
	}
	c, err := n.lab.o.Gateway(*n.plan, n.lab.facts(n))
	if err != nil {
		return spec, 0, fmt.Errorf("command of gateway %s: %w", n.Ref(), err)
	}
	spec.Path, spec.Args, spec.Env, spec.Dir, spec.Ready = c.Path, c.Args, c.Env, c.Dir, c.Ready
	return spec, c.Within, nil
}

func (l *Lab) facts(n *Node) Facts {
	f := Facts{BinDir: l.o.BinDir, Dir: n.dir(), Prefix: configPrefix}
	for _, e := range l.plan.OfKind(topology.KindEtcd) {
		if e.Region == n.plan.Region {
			f.Etcd = append(f.Etcd, fmt.Sprintf("http://%s:%d", e.Underlay, topology.EtcdClientPort))
		}
	}
	return f
}
