package labenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// pollPace is the shortest time between two questions whether something is in
// force.
const pollPace = 20 * time.Millisecond

// Applied waits until every gateway has the revision in force: it asks those
// that can say, and probes those that cannot. It does not wait for a gateway that
// has ended.
func (e *Env) Applied(ctx context.Context, rev int64) error {
	ctx, cancel := context.WithTimeout(ctx, e.patience())
	defer cancel()
	err := e.applied(ctx, rev)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.late++; err == nil || !errors.Is(err, context.DeadlineExceeded) {
		e.late = 0
	}
	return err
}

// Gateways that let a few waits in a row pass without a change coming into force
// are not going to: what is left of the cases must not take half a minute each.
const (
	lateAtMost = 3
	patienceOf = 2 * time.Second // with those
)

func (e *Env) patience() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.late >= lateAtMost {
		return patienceOf
	}
	return spec.DefaultTimeout
}

// expect makes the waits that follow as long as they are after so many that were in
// vain.
func (e *Env) expect(late int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.late = late
}

func (e *Env) applied(ctx context.Context, rev int64) error {
	if e.static != nil {
		return e.static.applier.Wait(ctx, rev)
	}
	g, ctx := errgroup.WithContext(ctx)
	probe := false
	for _, gw := range e.Gateways() {
		p := e.fleet.process(gw.Ref)
		if p == nil {
			return fmt.Errorf("%s was never started", gw.Ref)
		}
		url, err := p.AppliedURL(rev)
		if err != nil {
			return err
		}
		if url == "" {
			probe = true
			continue
		}
		if rev == 0 {
			return errors.New("the Admin API does not say the revision of a write")
		}
		g.Go(func() error { return e.askApplied(ctx, gw.Ref, url) })
	}
	if probe {
		g.Go(func() error { return e.probe(ctx) })
	}
	return g.Wait()
}

// askApplied repeats a question that the gateway may hold open until the answer
// is yes.
func (e *Env) askApplied(ctx context.Context, ref topology.Ref, url string) error {
	client := traffic.HTTP(e.client(ref).Dialer, spec.DefaultTimeout)
	pace := time.NewTicker(pollPace)
	defer pace.Stop()
	last := errors.New("not asked")
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return fmt.Errorf("ask %s: %w", ref, err)
		}
		resp, err := client.Do(req)
		if err == nil {
			body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096)) // for the message only
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("%s: %.300s", resp.Status, body)
		}
		if ctx.Err() == nil {
			last = err
		}
		if err := e.ended(ref); err != nil {
			return err
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return fmt.Errorf("%s has not got it in force: %w; last answer: %w", ref, ctx.Err(), last)
		}
	}
}

// probe is the watermark for gateways that cannot say what they have in force.
// It writes an upstream, a service that uses it and a route that uses the
// service, all under new names and after everything else. A request by that
// route is answered by the marker's backend only when all three have arrived,
// and each kind of object is read in order. Several workers of a gateway
// synchronise separately, so many answers in a row over fresh connections must
// show it.
func (e *Env) probe(ctx context.Context) error {
	bs, err := e.Start(ctx, spec.Want{N: 1})
	if err != nil {
		return &spec.Trouble{Err: fmt.Errorf("marker: %w", err)}
	}
	defer func() { _ = bs[0].Server.Close() }()
	e.mu.Lock()
	e.mark++
	name := fmt.Sprintf("unilb-marker-%d", e.mark)
	e.mu.Unlock()
	objects := []struct{ path, body string }{
		{"/upstreams/" + name, fmt.Sprintf(`{"type":"roundrobin","nodes":{%q:1}}`, bs[0].Addr)},
		{"/services/" + name, fmt.Sprintf(`{"upstream_id":%q}`, name)},
		{"/routes/" + name, fmt.Sprintf(`{"uri":"/.%s","service_id":%q}`, name, name)},
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), spec.DefaultTimeout)
		defer cancel()
		for i := range objects {
			// A marker that stays harms nobody: its name is never used again.
			_, _ = e.Admin().Do(ctx, spec.Call{Method: http.MethodDelete, Path: objects[len(objects)-1-i].path})
		}
	}()
	for _, o := range objects {
		r, err := e.Admin().Do(ctx, spec.Call{Method: http.MethodPut, Path: o.path, Body: o.body})
		if err != nil {
			return fmt.Errorf("marker: %w", err)
		}
		if r.Status/100 != 2 {
			return fmt.Errorf("marker: PUT %s: %s", o.path, r)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, gw := range e.Gateways() {
		g.Go(func() error { return e.shows(ctx, gw, "/."+name, bs[0]) })
	}
	return g.Wait()
}

// shows returns when so many answers in a row, over fresh connections and over the
// time that the manifest asks for, were the marker's.
func (e *Env) shows(ctx context.Context, gw spec.Gateway, target string, b spec.Backend) error {
	s := traffic.NewSession(e.Clients()[0], gw.Data, e.Recorder(), traffic.Options{Stream: "marker"})
	want, over := e.fleet.manifest.Consecutive(), e.fleet.manifest.Over()
	every := pollPace
	if over > 0 {
		every = max(over/time.Duration(want), time.Millisecond)
	}
	pace := time.NewTicker(every)
	defer pace.Stop()
	var since time.Time
	last := ""
	for inARow := 0; ; {
		r := s.Do(ctx, traffic.Request{Host: markerHost, Target: target})
		if r.Backend() == b.Ref {
			if inARow++; inARow == 1 {
				since = time.Now()
			}
			if inARow >= want && time.Since(since) >= over {
				return nil
			}
			if over == 0 {
				continue
			}
		} else {
			inARow, last = 0, answered(r)
			if err := e.ended(gw.Ref); err != nil {
				return err
			}
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return fmt.Errorf("%s does not show marker %s: %w; its last other answer: %s", gw.Ref, target, ctx.Err(), last)
		}
	}
}

// answered is what became of a request, for messages.
func answered(r traffic.Result) string {
	if r.Reply == nil {
		return fmt.Sprint(r.Err)
	}
	return fmt.Sprintf("%d from %q", r.Reply.Status, r.Backend())
}

// markerHost is the host of markers.
const markerHost = "unilb-marker.example"

// nobody is the dialer of a node that does not exist.
type nobody struct{ err error }

func (n nobody) Dial(context.Context, string, netip.AddrPort) (net.Conn, error) { return nil, n.err }
