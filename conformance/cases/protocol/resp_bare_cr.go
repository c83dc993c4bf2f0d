package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that passes on what some clients read as the end of a line: the
// backend's users can set fields for each other.
var respBareCR = spec.Case{
	ID: "RESP-BARE-CR", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A bare CR or NUL within a field of an answer becomes a blank, or the answer becomes 502.",
	Refs:  []string{"RFC 9110 5.5", "RFC 9112 2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "timeout": {"connect": 2, "send": 2, "read": 2}, "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		answered(ctx, t,
			oddAnswer{name: "CR", bytes: "HTTP/1.1 200 OK\r\n{marks}X-Bare: one\rX-Smuggled: two\r\nContent-Length: 5\r\n\r\nhello", body: "hello", also: cleanFields},
			oddAnswer{name: "NUL", bytes: "HTTP/1.1 200 OK\r\n{marks}X-Bare: one\x00two\r\nContent-Length: 5\r\n\r\nhello", body: "hello", also: cleanFields},
		)
	},
}
