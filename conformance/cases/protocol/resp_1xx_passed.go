package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Shows a gateway that keeps early hints to itself. The RFC wants proxies to pass them
// on; gateways in wide use do not.
var resp1xxPassed = spec.Case{
	ID: "RESP-1XX-PASSED", Level: spec.Should, Needs: []spec.Feature{spec.H1Expect},
	Title: "An answer 103 reaches the client before the last answer.",
	Refs:  []string{"RFC 9110 15.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			return raw.Answer{Bytes: "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n" + b.Echo(r).Bytes}
		})
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		r := c.Do(ctx, get(t.Host(), attacked, ""))
		t.Check(r.Mine() && len(r.Interim) == 1 && r.Interim[0] == 103, "got %v and then %s, want 103 and 200 from the backend (op %s)", r.Interim, r, r.Op.ID)
	},
}
