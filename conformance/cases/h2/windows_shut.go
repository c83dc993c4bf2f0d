package h2

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

// filled answers GET /filled with a body in chunks that is as long as the first window.
func filled(b *raw.Backend, r raw.Request) raw.Answer {
	switch pathOf(r) {
	case "/filled":
		head := b.Head(r, 200, "Transfer-Encoding: chunked")
		return raw.Answer{Bytes: head + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", framed.Window, echo.Pattern(framed.Window))}
	case "/204":
		return raw.Answer{Bytes: b.Head(r, 204)}
	}
	return b.Echo(r)
}

// Catches a gateway that has what needs no window wait for one: a page that a browser
// has paused keeps it from learning that another is not there.
var windowsShut = spec.Case{
	ID: "H2-WINDOWS-SHUT", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "While the client's windows are shut, heads of answers come, answers without a body come whole, and an answer whose body fills the windows exactly ends.",
	Refs:   []string{"RFC 9113 5.2.1", "RFC 9113 6.9"},
	After:  []string{"H2-WINDOWS"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		place(ctx, t, filled)
		c := dial(ctx, t, framed.Options{Hold: true})
		intact(t, c.Send(get(t, "/filled"), true).Answer(ctx), echo.Pattern(framed.Window), "a body as long as the window")
		for _, x := range []struct {
			method, path string
			status       int
		}{{"HEAD", "/head", 200}, {"GET", "/204", 204}} {
			r := c.Send(framed.Head(x.method, t.Host(), x.path), true).Answer(ctx)
			t.Check(r.Mine() && r.Status == x.status, "%s: %s %s with shut windows: got %s, want %d (op %s)", gateway(t).Ref, x.method, x.path, r, x.status, r.Op.ID)
		}
		s := c.Send(get(t, after), true)
		t.Check(s.Begun(ctx), "%s: GET %s with shut windows: no head came; %s", gateway(t).Ref, after, c)
		c.Allow(framed.Window)
		own(t, s.Answer(ctx), after, "when there is room again")
		correct(t, c)
	},
}
