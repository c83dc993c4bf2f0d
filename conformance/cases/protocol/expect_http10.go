package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that sends 100 to who does not know it: the client takes it for
// the answer.
var expectHTTP10 = spec.Case{
	ID: "EXPECT-HTTP10", Level: spec.Must, Needs: []spec.Feature{spec.H1Expect},
	Title: "A client of HTTP/1.0 never gets an answer 1xx.",
	Refs:  []string{"RFC 9110 15.2", "RFC 9110 10.1.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, nil)
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		r := c.Do(ctx, message("POST "+attacked+" HTTP/1.0", t.Host(), "Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"))
		t.Check(len(r.Interim) == 0, "got answers %v before the last (op %s)", r.Interim, r.Op.ID)
		t.Check(r.Reply != nil, "got %s (op %s)", r, r.Op.ID)
	},
}
