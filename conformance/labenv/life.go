package labenv

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/topology"
)

// drainGrace is what a busy machine may add to the time that a driver names.
const drainGrace = 2 * time.Second

// answer answers a question about the gateways; nil: it does not arise.
func (w *worker) answer(ctx context.Context, a ask) *spec.Result {
	if w.lab == nil {
		return nil // GATEWAY-START has said so
	}
	begin := time.Now()
	var r spec.Result
	switch a {
	case askRevision:
		if w.manifest.Applied.HTTP == "" {
			return nil // it says nothing that could be untrue
		}
		r = w.revision(ctx)
	case askLife:
		r = w.life()
	case askDrain:
		r = aboutGateway(drainRow, 0, w.drain(ctx)...)
	default:
		return nil
	}
	r.Took = time.Since(begin)
	if ctx.Err() != nil {
		r.State, r.Reason, r.Says = spec.Broken, &spec.Reason{Code: spec.Interrupted}, []string{"interrupted"} // nobody was given the time that a driver names
	}
	return &r
}

// life says what became of the gateways' processes so far.
func (w *worker) life() spec.Result {
	w.revive(context.Background(), nil, w.env.processes()) // the last case may have left it dying
	r := aboutGateway(lifeRow, 0, w.deaths...)
	warn := slices.Concat(w.excused, w.mute.warning())
	for _, g := range w.env.Gateways() {
		if p := w.env.processes()[g.Ref]; p != nil && p.Cut() > 0 {
			warn = append(warn, fmt.Sprintf("%s floods its log: the lab removed %d bytes of it and kept the newest %d MiB", g.Ref, p.Cut(), proc.DefaultMaxLog>>20))
		}
	}
	r.Says = append(r.Says, warn...)
	if r.State == spec.Pass && len(warn) > 0 {
		r.State = spec.Warn
	}
	return r
}

// drain tells every gateway to end and says which did not, by itself and in time.
func (w *worker) drain(ctx context.Context) []string {
	var mu sync.Mutex
	var says []string
	var wg sync.WaitGroup
	for ref, p := range w.env.processes() {
		d := w.env.fleet.process(ref)
		if p == nil || d == nil || !p.Running() {
			continue // GATEWAY-LIFE says so
		}
		wg.Go(func() {
			if err := drainOne(ctx, ref, p, d); err != nil {
				mu.Lock()
				says = append(says, err.Error())
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return says
}

func drainOne(ctx context.Context, ref topology.Ref, p *proc.Process, d *driver.Process) error {
	sig := signal(d.DrainSignal)
	if err := p.Signal(sig); err != nil {
		return fmt.Errorf("%s: %w", ref, err)
	}
	limit, cancel := context.WithTimeout(ctx, d.DrainWithin+drainGrace)
	defer cancel()
	exit, err := p.Wait(limit)
	if err != nil {
		return fmt.Errorf("%s does not end within %s of SIG%s; its last lines:\n%s", ref, d.DrainWithin, d.DrainSignal, p.Tail(lastWords))
	}
	// A program that leaves the signal to the kernel has ended as it was told, too.
	if exit.Code != 0 && exit.Code != 128+int(sig) {
		return fmt.Errorf("%s ended badly after SIG%s: %s; its last lines:\n%s", ref, d.DrainSignal, exit, p.Tail(lastWords))
	}
	return nil
}
