package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/unilb/unilb/tools/bench/stage"
)

// A measurement is all slices of one row, by the name of the proxy.
type measurement struct {
	slices map[string][]Slice
	lacks  map[string]string // what ours cannot do
	wrong  map[string]string // how ours answered otherwise than the others
	why    map[string]string // the first error of each proxy's slices
}

// measure makes all slices of a row.
func (b *bench) measure(ctx context.Context, r Row) (m measurement, err error) {
	m = measurement{slices: map[string][]Slice{}, lacks: map[string]string{}, wrong: map[string]string{}, why: map[string]string{}}
	rounds := b.rounds
	if r.By == byIdle {
		return m, b.measureMemory(ctx, r, min(rounds, memoryRounds), &m)
	}
	s, err := b.newSite(ctx, r)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	order, err := s.ready(ctx, &m)
	if err != nil {
		return m, err
	}
	for _, p := range order { // the first slice of each is not counted
		if _, err := s.slice(ctx, p, &m); err != nil {
			return m, err
		}
	}
	clear(m.why)
	for range rounds {
		for _, p := range order {
			x, err := s.slice(ctx, p, &m)
			if err != nil {
				return m, err
			}
			m.slices[p.name] = append(m.slices[p.name], x)
		}
		slices.Reverse(order)
		fmt.Fprint(b.log, ".")
	}
	return m, nil
}

// ready checks the answers and returns the proxies that take part.
func (s *site) ready(ctx context.Context, m *measurement) ([]*proxy, error) {
	if err := s.checkAnswers(ctx); err != nil {
		return nil, err
	}
	var out []*proxy
	for _, p := range s.proxies {
		switch {
		case p.lacks != "":
			m.lacks[p.name] = p.lacks
		case p.wrong != "":
			m.wrong[p.name] = p.wrong
		default:
			out = append(out, p)
		}
	}
	return out, nil
}

// slice loads one proxy and reads the kernel's counters before and after.
func (s *site) slice(ctx context.Context, p *proxy, m *measurement) (Slice, error) {
	before, err := s.groups.Count(p.group)
	if err != nil {
		return Slice{}, err
	}
	changed := make(chan error, 1)
	if s.row.Change {
		go func() {
			select {
			case <-time.After(s.row.Slice / 3): // well within the load
				changed <- p.change(ctx)
			case <-ctx.Done():
				changed <- context.Cause(ctx)
			}
		}()
	} else {
		changed <- nil
	}
	o, err := s.load(ctx, p)
	after, errCount := s.groups.Count(p.group)
	if err := errors.Join(err, errCount, <-changed); err != nil {
		return Slice{}, err
	}
	x := Slice{Requests: o.Requests, Errors: o.Errors, P50: o.P50, P99: o.P99}
	if o.Took > 0 {
		x.RPS = float64(o.Requests) / o.Took
	}
	if o.Errors > 0 && m.why[p.name] == "" {
		m.why[p.name] = o.Why
	}
	x.Void = o.Requests == 0 || o.Errors > 0 && !s.row.Change
	return since(after, before, x), nil
}

// since fills in what a slice owes to the kernel's counters.
func since(after, before stage.Count, s Slice) Slice {
	u := after.Since(before)
	s.Busy, s.Waited, s.Stolen, s.Foreign = u.Group, u.Waited, u.Stolen, u.Foreign
	if s.Requests > 0 {
		s.CPU = float64((after.Group - before.Group).Microseconds()) / float64(s.Requests)
	}
	return s
}
