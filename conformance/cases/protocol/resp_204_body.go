package protocol

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that goes on with a connection on which bytes follow 204 or
// 304.
var resp204Body = spec.Case{
	ID: "RESP-204-BODY", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "What follows an answer that can have no body is not given to anybody as the answer to another request.",
	Refs:  []string{"RFC 9112 6.3", "RFC 9110 15.3.5"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			status := 204
			if strings.HasSuffix(r.Target, "1") {
				status = 304
			}
			return raw.Answer{Bytes: b.Head(r, status) + b.Head(raw.Request{}, 200, "Content-Length: 9") + smuggled[:9]}
		})
		ownAnswers(ctx, t, 4, 15)
	},
}
