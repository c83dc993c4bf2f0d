package h2

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

const (
	longBytes   = 200 << 10 // of an answer that the client does not take
	uploadBytes = 60 << 10  // of a body of which half comes: less than any window
	narrow      = 1000      // bytes of the window of streams
)

// long answers GET /long with longBytes of echo.Pattern, and everything else by Echo.
func long(b *raw.Backend, r raw.Request) raw.Answer {
	if pathOf(r) != "/long" {
		return b.Echo(r)
	}
	return b.With(r, string(echo.Pattern(longBytes)), fmt.Sprintf("Content-Length: %d", longBytes))
}

// Catches a gateway for which a connection is as slow as its slowest stream: one
// picture that the browser does not need yet keeps the page from coming.
var streamsSlow = spec.Case{
	ID: "H2-STREAMS-SLOW", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "An answer that the client does not take, an upload that stalls and a request whose target thinks hold no other stream of their connection, and come to their end when they may.",
	Refs:   []string{"RFC 9113 5", "RFC 9113 5.2.1"},
	After:  []string{"H2-STREAMS-OWN"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		open := make(chan struct{})
		place(ctx, t, func(b *raw.Backend, r raw.Request) raw.Answer {
			a := long(b, r)
			switch pathOf(r) {
			case "/think":
				a.Wait = open
			case "/upload":
				return echoed(b, r)
			}
			return a
		})
		c := dial(ctx, t, framed.Options{Window: narrow, Hold: true})
		c.Settled(ctx) // or nothing comes below
		body := echo.Pattern(uploadBytes)
		untaken, thinking := c.Send(get(t, "/long"), true), c.Send(get(t, "/think"), true)
		stalled := c.Send(post(t, "/upload", framed.F("content-length", fmt.Sprint(uploadBytes))), false)
		t.Check(stalled.Data(ctx, body[:uploadBytes/2], false), "%s: half of a body could not be sent: %s", gateway(t).Ref, c)
		t.Check(untaken.Got(ctx, narrow), "%s: an answer does not begin: got %d bytes, want %d", gateway(t).Ref, untaken.Received(), narrow)
		for i := range 10 {
			p := fmt.Sprintf("/other/%d", i)
			if !own(t, c.Send(get(t, p), true).Answer(ctx), p, "while others stall") {
				break // the others take as long to say the same
			}
		}
		close(open)
		own(t, thinking.Answer(ctx), "/think", "when its target has thought")
		c.Allow(longBytes + uploadBytes)
		stalled.Allow(uploadBytes)
		t.Check(stalled.Data(ctx, body[uploadBytes/2:], true), "%s: the rest of a body could not be sent: %s", gateway(t).Ref, c)
		intact(t, stalled.Answer(ctx), body, "an upload that had stalled")
		untaken.Allow(longBytes)
		intact(t, untaken.Answer(ctx), echo.Pattern(longBytes), "an answer that was not taken")
		correct(t, c)
	},
}

// intact checks that a request got the bytes from the backend.
func intact(t *spec.T, r framed.Result, want []byte, why string) {
	t.Check(r.Served() && string(r.Body) == string(want), "%s: %s: got %s, want 200 with %d bytes, unchanged (op %s)", gateway(t).Ref, why, r, len(want), r.Op.ID)
}

// echoed answers with the body of the request.
func echoed(b *raw.Backend, r raw.Request) raw.Answer {
	return b.With(r, string(r.Body), fmt.Sprintf("Content-Length: %d", len(r.Body)))
}
