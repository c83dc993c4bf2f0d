package traffic

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that keeps headers in a map and loses, or turns round, lines
// of one name: of several values of Accept or Via the first is another one then.
var headersOrder = spec.Case{
	ID: "HDR-ORDER", Level: spec.Must, Needs: []spec.Feature{spec.ProxyHeaders},
	Title:    "Several lines of one name arrive all and in their order, joined or not, whatever the case of the name, in both directions.",
	Refs:     []string{"RFC 9110 5.2", "RFC 9110 5.3"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		const want = "one, two, three, four"
		var lines []history.Field
		for i, v := range strings.Split(want, ", ") {
			name := []string{"X-List", "x-list"}[i%2]
			lines = append(lines, history.Field{Name: name, Value: v}, history.Field{Name: "X-Between", Value: v}, history.Field{Name: echo.HeaderAdd, Value: name + ": " + v})
		}
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			r := s.Do(ctx, traffic.Request{Host: t.Host(), Header: lines})
			a := ask.Seen(t, r)
			for name, got := range map[string][]string{"X-List": a.Values("X-List"), "X-Between": a.Values("X-Between")} {
				t.Check(strings.Join(got, ", ") == want, "%s: the backend saw %s: %q, want %q in this order", gw.Ref, name, got, want)
			}
			got := r.Reply.Header.Values("X-List")
			t.Check(strings.Join(got, ", ") == want, "%s: the client saw X-List: %q, want %q in this order", gw.Ref, got, want)
		}
	},
}
