package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that turns a connection into a tunnel because the backend says so:
// the client's next request goes past all rules.
var resp101Unasked = spec.Case{
	ID: "RESP-101-UNASKED", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "A switch of protocols that the client did not ask for does not reach it.",
	Refs:  []string{"RFC 9110 15.2.2", "RFC 9110 7.8"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "timeout": {"connect": 2, "send": 2, "read": 2}, "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		answered(ctx, t,
			oddAnswer{name: "to a plain GET", bytes: "HTTP/1.1 101 Switching Protocols\r\n{marks}Connection: Upgrade\r\nUpgrade: x\r\n\r\n"},
		)
	},
}
