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

// Catches a gateway that joins lines of one name, which Set-Cookie does not
// survive: a cookie's date has a comma in it, and a login is lost.
var headersSetCookie = spec.Case{
	ID: "HDR-SET-COOKIE", Level: spec.Must, Needs: []spec.Feature{spec.ProxyHeaders},
	Title:    "Each Set-Cookie line of a backend reaches the client as a line of its own, unchanged and in order.",
	Refs:     []string{"RFC 9110 5.3", "RFC 6265 3"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		want := []string{"a=1; Path=/; Expires=Wed, 21 Oct 2065 07:28:00 GMT", "b=\"x y\"; HttpOnly", "a=2; Path=/sub", "c="}
		var lines []history.Field
		for _, v := range want {
			lines = append(lines, history.Field{Name: echo.HeaderAdd, Value: "Set-Cookie: " + v})
		}
		r := one(t).Do(ctx, traffic.Request{Host: t.Host(), Header: lines})
		ask.Seen(t, r)
		got := r.Reply.Header.Values("Set-Cookie")
		t.Check(slices.Equal(got, want), "the client saw Set-Cookie %q, want %q", got, want)
	},
}
