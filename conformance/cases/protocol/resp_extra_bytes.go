package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that keeps a connection on which more came than the answer: the
// next client gets what the last one had the backend say.
var respExtraBytes = spec.Case{
	ID: "RESP-EXTRA-BYTES", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "What a backend sends behind its answer is never given to anybody as the answer to another request.",
	Refs:  []string{"RFC 9112 6.3", "RFC 9112 9.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			return raw.Answer{Bytes: b.Echo(r).Bytes + b.Head(raw.Request{}, 200, "Content-Length: 9") + smuggled[:9]}
		})
		ownAnswers(ctx, t, 4, 25)
	},
}
