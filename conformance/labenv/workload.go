package labenv

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/sim/traffic"
)

// A load of a comparison: so many clients, each with a connection of its own and
// one request at a time, through the first gateway to one backend.
const (
	loadWorkers = 8
	loadWarm    = 500 * time.Millisecond // not measured: connections, caches, the heap of a new process
)

// load measures one short load of a gateway process that nobody has used before.
func (w *worker) load(ctx context.Context, o loadOrder) reply {
	if w.dead != "" || w.lab == nil {
		return refused(ExitUndecided, errors.New("there is no gateway to measure"))
	}
	if err := w.renew(ctx); err != nil {
		return refused(ExitUndecided, fmt.Errorf("start the gateway anew for a load: %w", err))
	}
	s, err := w.measure(ctx, o.Lasting)
	if err != nil {
		return refused(ExitUndecided, fmt.Errorf("measure a load: %w", err))
	}
	return reply{Sample: &s}
}

// renew puts a new process in the place of the gateway that is loaded. What a process
// has got by chance, where its memory lies and how its threads are spread, stays as
// long as it lives: over all loads of a side it would pass for the build.
func (w *worker) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reviveTimeout)
	defer cancel()
	w.revive(ctx, nil, w.env.processes()) // one that died under the last load is remembered
	gw := w.env.Gateways()[0].Ref
	p, _, err := w.env.gatewayProcess(gw)
	if err != nil {
		return err
	}
	return errors.Join(endHanging(p), w.env.Restart(ctx, gw))
}

func (w *worker) measure(ctx context.Context, lasting time.Duration) (s compare.Sample, err error) {
	bs, err := w.env.Start(ctx, spec.Want{N: 1})
	for _, b := range bs {
		defer func() { _ = b.Server.Close() }() // nothing is asked of it any more
	}
	if err != nil {
		return s, err
	}
	const path, host = "/routes/unilb-load", "unilb-load.example"
	body := fmt.Sprintf(`{"host":%q,"uri":"/*","upstream":{"type":"roundrobin","nodes":{%q:1}}}`, host, bs[0].Addr)
	if err := w.admin(ctx, spec.Call{Method: http.MethodPut, Path: path, Body: body}); err != nil {
		return s, err
	}
	defer func() {
		err = errors.Join(err, w.admin(context.WithoutCancel(ctx), spec.Call{Method: http.MethodDelete, Path: path}))
	}()
	gw, mark := w.env.Gateways()[0], w.rec.Mark()
	l := traffic.New("unilb-load", gw.Data, traffic.Closed(loadWorkers), traffic.Keepalive(loadWorkers), traffic.ToHost(host))
	l.NoFinalProbe = true // failures are counted below
	stream, err := traffic.Start(ctx, w.env.Clients()[:1], w.rec, l)
	if err != nil {
		return s, err
	}
	wait(ctx, loadWarm)
	from, before := w.rec.Now(), w.now()
	wait(ctx, lasting)
	to, after := w.rec.Now(), w.now()
	if _, err := stream.Stop(ctx); err != nil {
		return s, err
	}
	return sample(w.rec.Since(mark).Ops, stream.Load().Name, from, to, after.CPU-before.CPU, after.RSS)
}

// admin makes one call and waits until it is in force.
func (w *worker) admin(ctx context.Context, c spec.Call) error {
	r, err := w.env.Admin().Do(ctx, c)
	if err != nil {
		return err
	}
	if r.Status/100 != 2 {
		return fmt.Errorf("%s %s: %s", c.Method, c.Path, r)
	}
	return w.env.Applied(ctx, r.Revision)
}

// used is what all gateway processes have needed so far. One that was started again
// has begun anew.
func (w *worker) used() *usage {
	u := usage{CPU: w.now().CPU}
	for _, p := range w.env.processes() {
		if p != nil {
			u.Peak += peak(p.Pid())
		}
	}
	return &u
}

// peak is the most resident memory of a process, in bytes; 0 when it has ended.
func peak(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}

// now is what all gateway processes use, together.
func (w *worker) now() proc.Usage {
	var sum proc.Usage
	for _, p := range w.env.processes() {
		if p == nil {
			continue
		}
		if u, err := p.Usage(); err == nil { // else it has ended
			sum.CPU, sum.RSS, sum.Files = sum.CPU+u.CPU, sum.RSS+u.RSS, sum.Files+u.Files
		}
	}
	return sum
}

// sample summarises the requests that ended in the window.
func sample(ops []history.Op, stream string, from, to, cpu time.Duration, rss int64) (compare.Sample, error) {
	var took []time.Duration
	s := compare.Sample{RSS: rss}
	for _, op := range ops {
		switch {
		case op.Stream != stream || op.Returned < from || op.Returned > to:
		case op.Outcome != history.OK || op.Class != history.ClassNone:
			s.Failed++
		default:
			took = append(took, op.Latency())
		}
	}
	if len(took) == 0 {
		return s, errors.New("no request was answered well")
	}
	slices.Sort(took)
	s.P50, s.P99 = took[len(took)/2], took[len(took)*99/100]
	s.PerSecond = float64(len(took)) / (to - from).Seconds()
	s.CPU = cpu / time.Duration(len(took))
	return s, nil
}

// wait lets time pass: a load is measured over time, there is no event to wait for.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
