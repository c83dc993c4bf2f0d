package traffic

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway with less room for heads than its users need: single sign-on
// puts kilobytes into Cookie, and some of the lines get lost or the request is
// refused.
var headersLarge = spec.Case{
	ID: "HDR-LARGE", Level: spec.Should, Needs: []spec.Feature{spec.ProxyHeaders},
	Title:    "A request whose head has 11 KiB, with a cookie of 6 KiB and 60 other lines, arrives complete, and so does an answer with 3 KiB.",
	Refs:     []string{"RFC 9110 5.4", "APISIX 3.18 large_client_header_buffers (4 of 8 KiB, the default of nginx)"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		cookie, line, down := string(echo.Pattern(6<<10)), string(echo.Pattern(64)), string(echo.Pattern(1000))
		req := traffic.Request{Host: t.Host()}.With("Cookie", "session="+cookie)
		for i := range 60 {
			req = req.With(fmt.Sprintf("X-Line-%d", i), line)
		}
		for i := range 3 {
			req = req.With(echo.HeaderAdd, fmt.Sprintf("X-Down-%d: %s", i, down))
		}
		r := one(t).Do(ctx, req)
		if r.Reply == nil || r.Reply.Status != http.StatusOK {
			t.Fatalf("got %s, want 200 (op %s)", ask.Said(r), r.Op.ID)
		}
		a := ask.Seen(t, r)
		t.Check(strings.Join(a.Values("Cookie"), "") == "session="+cookie, "the cookie came with %d bytes, want %d unchanged", len(strings.Join(a.Values("Cookie"), "")), len(cookie)+8)
		for i := range 60 {
			name := fmt.Sprintf("X-Line-%d", i)
			t.Check(strings.Join(a.Values(name), "") == line, "the backend saw %s: %q", name, a.Values(name))
		}
		for i := range 3 {
			name := fmt.Sprintf("X-Down-%d", i)
			t.Check(r.Reply.Header.Get(name) == down, "the client saw %s with %d bytes, want %d", name, len(r.Reply.Header.Get(name)), len(down))
		}
	},
}
