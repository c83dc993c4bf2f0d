package labenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/conformance/spec"
)

// loads takes a series of pairs, and a second one when the first shows a difference:
// only what both show is one.
func (d *duel) loads(ctx context.Context) {
	if d.o.Pairs == 0 || !d.passed || ctx.Err() != nil {
		return
	}
	first := d.series(ctx, 1)
	d.c.Pairs, d.c.Figures = first, compare.Figures(first)
	if !compare.Suspect(d.c.Figures) || ctx.Err() != nil {
		return
	}
	second := d.series(ctx, 2)
	d.c.Pairs, d.c.Figures = slices.Concat(first, second), compare.Confirmed(first, second)
}

// series takes pairs of loads in two labs that are brought up for it. Clients and
// backends are in the process of a lab and stay for all of its loads: one that is
// slow by chance is slow in every pair, so a second series has other ones.
func (d *duel) series(ctx context.Context, nth int) []compare.Pair {
	var hands [2]*hand
	for k := range 2 {
		side := (nth + k) % 2
		h, err := d.sides[side].ready(ctx, nth)
		if err != nil {
			d.problem(fmt.Sprintf("loads: %s: %v", d.sides[side].name, err))
			return nil
		}
		defer d.sides[side].leave(ctx, h)
		hands[side] = h
	}
	var out []compare.Pair
	for i := range d.o.Pairs {
		pair := compare.Pair{Series: nth}
		for k := range 2 {
			side := (nth + i + k) % 2
			s, err := d.sides[side].sample(ctx, hands[side], cmp.Or(d.o.Lasting, DefaultLasting))
			if err != nil {
				d.problem(fmt.Sprintf("loads: %s: %v", d.sides[side].name, err))
				return out
			}
			*[]*compare.Sample{&pair.Base, &pair.Head}[side] = s
		}
		out = append(out, pair)
	}
	return out
}

// ready brings a lab up in which no case was run.
func (j *judgement) ready(ctx context.Context, series int) (*hand, error) {
	h, err := startHand(j.line)
	if err != nil {
		return nil, err
	}
	up := j.o.upOrder(j.selected)
	up.Loads = series
	r, err := h.do(ctx, order{Up: up})
	switch {
	case err != nil:
	case r.Refused != nil:
		err = errors.New(r.Refused.Text)
	case r.Result.State != spec.Pass:
		err = errors.New(strings.Join(r.Result.Says, "\n"))
	}
	if err != nil {
		h.close(err)
		return nil, err
	}
	return h, nil
}

// leave takes such a lab down. A gateway that died in it has not lived through what
// it was asked for.
func (j *judgement) leave(ctx context.Context, h *hand) {
	failed := func(r spec.Result) bool { return r.Case == lifeRow && r.State == spec.Fail }
	if r, err := h.do(ctx, order{Ask: askLife}); err == nil && r.Result != nil && failed(*r.Result) && !slices.ContainsFunc(j.rows, failed) {
		j.rows = slices.DeleteFunc(j.rows, func(r spec.Result) bool { return r.Case == lifeRow })
		j.row(r.Result)
	}
	if r, err := h.do(ctx, order{Down: true}); err == nil && r.Refused != nil {
		j.problem(errors.New(r.Refused.Text))
	}
	h.close(errors.New("the loads are over"))
}

// sample takes one load.
func (j *judgement) sample(ctx context.Context, h *hand, lasting time.Duration) (compare.Sample, error) {
	r, err := h.do(ctx, order{Load: &loadOrder{Lasting: lasting}})
	switch {
	case err != nil:
		return compare.Sample{}, err
	case r.Refused != nil:
		return compare.Sample{}, errors.New(r.Refused.Text)
	}
	j.line(fmt.Sprintf(" ✓ load: %.0f/s, p50 %s, p99 %s, CPU %s a request", r.Sample.PerSecond, r.Sample.P50, r.Sample.P99, r.Sample.CPU))
	return *r.Sample, nil
}
