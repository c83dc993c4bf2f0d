package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that counts no requests, or forgets to count them off: a slow
// target gets as much as a fast one, or one that was slow once gets nothing more.
var lbLeastConn = spec.Case{
	ID: "LEAST-CONN", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamLeastConn},
	Title: "While one of two targets of equal weight holds a request the other gets every further one, and the same the other way round.",
	Refs:  []string{"APISIX 3.18 upstream type least_conn"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "least_conn", "retries": 0, "nodes": {"{{index .Backends 0}}": 1, "{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		held := [2]chan struct{}{}
		// hold has one more request held, and says by whom. A POST, for it is sent to
		// nobody else when it ends. It comes on the connection of the requests before
		// it: a gateway may count these off when it is done with them, a moment after
		// their answers.
		hold := func(s *traffic.Session) int {
			before := [2]uint64{}
			for i := range 2 {
				t.Backend(i).Server.SetBehaviour(echo.Behaviour{Hang: true})
				before[i] = t.Backend(i).Server.Requests()
			}
			end, by := make(chan struct{}), 0
			go func() {
				defer close(end)
				s.Do(ctx, traffic.Request{Method: http.MethodPost, Host: t.Host()})
			}()
			ask.Until(ctx, t, "a target holds the request", 1, func() bool {
				by = 0
				if t.Backend(1).Server.Requests() > before[1] {
					by = 1
				}
				return t.Backend(by).Server.Requests() > before[by]
			})
			held[by] = end
			t.Backend(1 - by).Server.SetBehaviour(echo.Behaviour{})
			return by
		}
		release := func(at int) {
			t.Backend(at).Server.SetBehaviour(echo.Behaviour{})
			t.Backend(at).Server.CutConns()
			<-held[at]
		}
		holding, free := one(t), one(t)
		busy := hold(holding)
		for range 2 {
			n := count(picks(ctx, t, free, 20, traffic.Request{Host: t.Host()}))
			t.Check(n[t.Backend(1-busy).Ref] == 20, "while %s held a request it got %d of 20", t.Backend(busy).Ref, n[t.Backend(busy).Ref])
			if next := hold(free); next == busy {
				t.Fatalf("while %s held a request it got the next one too", t.Backend(busy).Ref)
			}
			release(busy)
			holding, free, busy = free, holding, 1-busy
		}
		release(busy)
	},
}
