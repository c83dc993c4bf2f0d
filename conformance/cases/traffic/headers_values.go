package traffic

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that passes on only what it knows, that takes an empty value
// for none, or that has ideas of its own about what stands in a value.
var headersValues = spec.Case{
	ID: "HDR-VALUES", Level: spec.Must, Needs: []spec.Feature{spec.ProxyHeaders},
	Title:    "Headers that nobody knows pass with their values byte for byte, empty ones, quotes and percent signs included, in both directions.",
	Refs:     []string{"RFC 9110 5.1", "RFC 9110 5.5"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		fields := []history.Field{
			{Name: "X-Empty", Value: ""}, {Name: "X-Quoted", Value: `"a, b"; c="d\"e"`}, {Name: "X-Inner", Value: "a  b\tc"},
			{Name: "X-Percent", Value: "%20%zz%"}, {Name: "X-Colon", Value: ":: {a: 1}"},
		}
		req := traffic.Request{Host: t.Host(), Header: fields}
		for _, f := range fields {
			req = req.With(echo.HeaderAdd, f.Name+": "+f.Value)
		}
		for _, gw := range t.Env().Gateways() {
			r := ask.Session(t, gw.Data, traffic.Options{}).Do(ctx, req)
			a := ask.Seen(t, r)
			for _, f := range fields {
				up, down := a.Values(f.Name), r.Reply.Header.Values(f.Name)
				t.Check(slices.Equal(up, []string{f.Value}), "%s: the backend saw %s: %q, want %q", gw.Ref, f.Name, up, f.Value)
				t.Check(slices.Equal(down, []string{f.Value}), "%s: the client saw %s: %q, want %q", gw.Ref, f.Name, down, f.Value)
			}
		}
	},
}
