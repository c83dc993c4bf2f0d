package protocol

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes the first 1xx for the answer, so that all later answers
// are out of step, or that dies of many.
var resp1xxFlood = spec.Case{
	ID: "RESP-1XX-FLOOD", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "Any number of answers 1xx before the last one leaves the client with one last answer, its own.",
	Refs:  []string{"RFC 9110 15.2", "RFC 9112 9.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "timeout": {"connect": 2, "send": 2, "read": 2}, "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		answered(ctx, t,
			oddAnswer{name: "three", bytes: strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 3) + "HTTP/1.1 200 OK\r\n{marks}Content-Length: 5\r\n\r\nhello", body: "hello", accept: true},
			oddAnswer{name: "five hundred", bytes: strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 500) + "HTTP/1.1 200 OK\r\n{marks}Content-Length: 5\r\n\r\nhello", body: "hello"},
		)
	},
}
