package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/unilb/unilb/sim/act"
)

func (w *Wait) title() (word, what string) {
	switch {
	case w.Steady != nil:
		return "steady", fmt.Sprintf("%s for %s", w.Steady.Load, w.Steady.For)
	case w.Recovers != nil:
		return "recovers", w.Recovers.Load
	case w.Carried != nil:
		return "carried", fmt.Sprintf("%s: %d requests", w.Carried.Load, w.Carried.Requests)
	case w.Serves != nil:
		return "serves", w.Serves.Service
	case w.TakesTraffic != nil:
		return "takes", fmt.Sprintf("%s through %s", w.TakesTraffic.Service, w.TakesTraffic.Through)
	case w.InForce != nil:
		return "in-force", w.InForce.Service
	case w.Agree != nil:
		return "agree", string(w.Agree.Gateways)
	default:
		return "wait", ""
	}
}

// lasts is how long a condition must hold by its own words, beside the bound.
func (w *Wait) lasts() time.Duration {
	if w == nil || w.Steady == nil {
		return 0
	}
	return w.Steady.For
}

// wait waits for a condition and returns what it measured.
func (r *runner) wait(ctx context.Context, w *Wait, name string) (string, error) {
	switch {
	case w.Steady != nil:
		s := r.streams[w.Steady.Load]
		if err := s.Steady(ctx, w.Steady.For); err != nil {
			return "", err
		}
		return fmt.Sprintf("%d requests so far", s.Total()), nil
	case w.Recovers != nil:
		a := r.faults[w.Recovers.From]
		span, err := r.region.Recovery(ctx, r.streams[w.Recovers.Load], a, name)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("after %s", (span.To - span.From).Round(time.Millisecond)), nil
	case w.Carried != nil:
		return "", act.Carried(ctx, r.streams[w.Carried.Load], w.Carried.Requests)
	case w.Serves != nil:
		return "", r.region.Serves(ctx, r.services[w.Serves.Service])
	case w.TakesTraffic != nil:
		took, err := r.region.TakesTraffic(ctx, r.services[w.TakesTraffic.Service], w.TakesTraffic.Through)
		return fmt.Sprintf("after %s", took.Round(time.Millisecond)), err
	case w.InForce != nil:
		op, ok := r.changes[w.InForce.Service]
		if !ok {
			return "nothing was changed", nil
		}
		return inForce(r.region.AwaitInForce(ctx, r.services[w.InForce.Service], op))
	case w.Agree != nil:
		o := r.havocked // its targets, if there was one
		o.Gateways, o.Members = nil, act.HavocOptions(r.s.Plan, 0, 0, "").Members
		for _, n := range r.s.Plan.Select(w.Agree.Gateways) {
			o.Gateways = append(o.Gateways, n.Ref)
		}
		return r.region.Agree(ctx, o)
	default:
		return "", nil
	}
}
