package traffic

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that dates answers itself: Date says when the answer was made,
// and caches count its age from there.
var headersDate = spec.Case{
	ID: "HDR-DATE", Level: spec.Should, Needs: []spec.Feature{spec.ProxyHeaders},
	Title:    "The Date that a backend wrote is the one, and the only one, that the client gets.",
	Refs:     []string{"RFC 9110 6.6.1", "RFC 9111 4.2.3"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		const want = "Sun, 06 Nov 1994 08:49:37 GMT"
		r := one(t).Do(ctx, traffic.Request{Host: t.Host()}.With(echo.HeaderAdd, "Date: "+want))
		ask.Seen(t, r)
		got := r.Reply.Header.Values("Date")
		t.Check(slices.Equal(got, []string{want}), "the client saw Date %q, want %q", got, want)
	},
}
