package act

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Mix is what clients of a site send when nothing else is said: three reads to
// each order, which must not be carried out twice.
func Mix(host string) []traffic.Weighted {
	return []traffic.Weighted{
		{Weight: 3, Request: traffic.Request{Host: host}},
		{Weight: 1, Request: traffic.Request{Host: host, Method: "POST", Body: []byte("order=1")}},
	}
}

// probing begins the names of the streams by which waits find something out.
const probing = "probe/"

// IsProbe says whether a stream is that of a wait: its requests go out while nobody
// promises an answer yet, and are no load to be judged.
func IsProbe(stream string) bool { return strings.HasPrefix(stream, probing) }

// Recovery waits until a load is steady again for a second after a fault began,
// and returns the time in which the fault may have cost requests. With a name the
// span is part of the history; when the load does not recover it ends with the wait.
func (r *Region) Recovery(ctx context.Context, s *traffic.Stream, a *fault.Active, name string) (history.Window, error) {
	w := history.Window{From: a.Window().From}
	at, err := s.SteadyFrom(ctx, w.From, time.Second)
	if w.To = at; err != nil {
		w.To = r.Recorder.Now()
		err = fmt.Errorf("recover from %q: %w", a.Fault(), err)
	}
	if name != "" {
		r.Recorder.Span(history.Span{Window: w, Name: name})
	}
	return w, err
}

// Carried waits until that many requests of the load have ended, well or not.
func Carried(ctx context.Context, s *traffic.Stream, requests int) error {
	return poll(ctx, func() error {
		if n := s.Total(); n < requests {
			return fmt.Errorf("%d of %d requests have ended", n, requests)
		}
		return nil
	})
}

// Serves waits until every client gets an answer of one of the service's
// backends.
func (r *Region) Serves(ctx context.Context, s *Service) error {
	clients, err := r.Clients("")
	if err != nil {
		return err
	}
	for _, c := range clients {
		session := traffic.NewSession(c, s.To, r.Recorder, traffic.Options{Stream: probing + "serves-" + s.Name, Timeout: 2 * time.Second})
		err := poll(ctx, func() error {
			res := session.Do(ctx, traffic.Request{Host: s.Host})
			if !slices.Contains(s.Backends(), res.Backend()) {
				return fmt.Errorf("%s got %s%s from %q", c.Ref, res.Op.Class, res.Op.Error, res.Backend())
			}
			return nil
		})
		session.Close()
		if err != nil {
			return fmt.Errorf("%s does not serve: %w", s.Name, err)
		}
	}
	return nil
}

// TakesTraffic asks for the service on fresh connections until a request has gone
// through each of the selected gateways: connections that were made while a
// gateway was away stay where they are. It returns how long that took.
func (r *Region) TakesTraffic(ctx context.Context, s *Service, gateways topology.Selector) (time.Duration, error) {
	from := r.Recorder.Now()
	missing := map[topology.Ref]bool{}
	for _, n := range r.Lab.Select(gateways) {
		missing[n.Ref()] = true
	}
	if len(missing) == 0 {
		return 0, fmt.Errorf("no gateway is selected by %q", gateways)
	}
	clients, err := r.Clients("")
	if err != nil {
		return 0, err
	}
	var sessions []*traffic.Session
	for _, c := range clients {
		sessions = append(sessions, traffic.NewSession(c, s.To, r.Recorder, traffic.Options{Stream: probing + "takes-" + s.Name, Timeout: time.Second}))
	}
	err = poll(ctx, func() error {
		for _, session := range sessions {
			session.Do(ctx, traffic.Request{Host: s.Host})
		}
		for _, ref := range r.SeenThrough(from) {
			delete(missing, ref)
		}
		if len(missing) > 0 {
			return fmt.Errorf("without traffic: %v", slices.Sorted(maps.Keys(missing)))
		}
		return nil
	})
	return r.Recorder.Now() - from, err
}

// SeenThrough are the gateways through which requests arrived after a moment.
func (r *Region) SeenThrough(from time.Duration) []topology.Ref {
	gateways := r.Facts().Gateways
	seen := map[topology.Ref]bool{}
	for _, a := range r.Recorder.Snapshot().Arrivals {
		at, err := netip.ParseAddrPort(a.From)
		if err != nil || a.At < from || a.ID == "" {
			continue
		}
		if ref, ok := gateways[at.Addr().Unmap()]; ok {
			seen[ref] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// poll asks until the answer is good. The error is the last answer's.
func poll(ctx context.Context, ask func() error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, context.Cause(ctx))
		}
	}
}
