package routing

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// with is one header line of a request.
func with(name, value string) []history.Field { return []history.Field{{Name: name, Value: value}} }

// refused sends every request through every gateway, which must answer itself,
// with one of the statuses. Want takes no part.
func refused(ctx context.Context, t *spec.T, statuses []int, asks ...ask.Expect) {
	for _, gw := range t.Env().Gateways() {
		s := ask.Session(t, gw.Data, traffic.Options{})
		for _, a := range asks {
			r := s.Do(ctx, traffic.Request{Method: a.Method, Host: a.Host, Target: a.Target, Header: a.Header})
			if r.Reply == nil {
				t.Check(false, "%s: %s %s: no answer: %v (op %s)", gw.Ref, a.Method, a.Target, r.Err, r.Op.ID)
				continue
			}
			t.Check(!r.Reply.FromBackend() && slices.Contains(statuses, r.Reply.Status),
				"%s: %s %s%s: got %d (%s), want one of %v from the gateway itself (%s)", gw.Ref, a.Method, a.Host, a.Target, r.Reply.Status, ask.Said(r), statuses, a.Why)
		}
	}
}
