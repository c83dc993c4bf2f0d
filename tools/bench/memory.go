package main

import (
	"context"
	"errors"
	"fmt"
)

// measureMemory starts everything anew for each round: what a process has once had
// it does not give back.
func (b *bench) measureMemory(ctx context.Context, r Row, rounds int, m *measurement) error {
	for range rounds {
		if err := b.memoryRound(ctx, r, m); err != nil {
			return err
		}
		fmt.Fprint(b.log, ".")
	}
	return nil
}

func (b *bench) memoryRound(ctx context.Context, r Row, m *measurement) (err error) {
	s, err := b.newSite(ctx, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	order, err := s.ready(ctx, m)
	if err != nil {
		return err
	}
	for _, p := range order {
		warm := *s // what the first requests need is not the connections'
		warm.row.By, warm.row.Conns = byWrk, 64
		if _, err := warm.slice(ctx, p, m); err != nil {
			return err
		}
		before, err := s.groups.Memory(p.group)
		if err != nil {
			return err
		}
		c, err := s.groups.Count(p.group)
		if err != nil {
			return err
		}
		x := Slice{Requests: r.Conns}
		err = s.hold(ctx, p, func() error {
			after, err := s.groups.Memory(p.group)
			x.Bytes = max(0, after-before) / float64(r.Conns)
			return err
		})
		if err != nil {
			return err
		}
		end, err := s.groups.Count(p.group)
		if err != nil {
			return err
		}
		x = since(end, c, x)
		x.CPU = 0 // of connecting and of nothing else
		m.slices[p.name] = append(m.slices[p.name], x)
	}
	return nil
}
