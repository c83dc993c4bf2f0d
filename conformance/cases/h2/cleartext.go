package h2

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
)

// Catches a gateway that takes the preface of HTTP/2 for a request of HTTP/1.1: clients
// of gRPC within a data centre begin so.
var cleartext = spec.Case{
	ID: "H2-CLEARTEXT", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2Clear},
	Title: "A client that begins with the preface of HTTP/2 on an address without TLS is served by HTTP/2; one of HTTP/1.1 on the same address is served by that.",
	Refs:  []string{"RFC 9113 3.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			if r.Method == "POST" {
				return echoed(b, r)
			}
			return b.Echo(r)
		})
		for _, gw := range t.Env().Gateways() {
			c := framed.DialClear(ctx, t, gw.Data, framed.Options{})
			for i := range 3 {
				p := fmt.Sprintf("/%d", i)
				own(t, c.Send(bare(get(t, p)), true).Answer(ctx), p, "without TLS")
			}
			s, body := c.Send(bare(post(t, "/body")), false), echo.Pattern(bodyBytes)
			t.Check(s.Data(ctx, body, true), "%s: the windows do not open: %s", gw.Ref, c)
			intact(t, s.Answer(ctx), body, "a body without TLS")
			correct(t, c)
			r := raw.Dial(ctx, t, gw.Data).Do(ctx, fmt.Sprintf("GET /old HTTP/1.1\r\nHost: %s\r\n%s: %s\r\n\r\n", t.Host(), echo.HeaderOpID, raw.OpMark))
			t.Check(r.Mine() && string(r.Reply.Body) == "/old", "%s: HTTP/1.1 on the same address: got %s, want its answer (op %s)", gw.Ref, r, r.Op.ID)
		}
	},
}

// bare is a head as it is without TLS.
func bare(head []history.Field) []history.Field {
	head[1].Value = "http"
	return head
}
