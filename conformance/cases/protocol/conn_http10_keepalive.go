package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that leaves an old client in doubt: it says nothing and keeps the
// connection, or says keep-alive and ends it.
var connHTTP10Keepalive = spec.Case{
	ID: "CONN-HTTP10-KEEPALIVE", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "An answer to HTTP/1.0 with keep-alive says keep-alive and the connection goes on, or it ends.",
	Refs:  []string{"RFC 9112 9.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, nil)
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		r := c.Do(ctx, message("GET "+attacked+" HTTP/1.0", t.Host(), "Connection: keep-alive\r\n", ""))
		if !r.Mine() {
			t.Fatalf("got %s, want 200 from the backend (op %s)", r, r.Op.ID)
		}
		if r.Reply.Header.Lists("Connection", "keep-alive") {
			r = c.Do(ctx, message("GET "+after+" HTTP/1.0", t.Host(), "Connection: keep-alive\r\n", ""))
			t.Check(r.Mine(), "the next request after keep-alive: got %s, want 200 from the backend (op %s)", r, r.Op.ID)
			return
		}
		_, ended := c.Ends(ctx)
		t.Check(ended, "the answer does not say keep-alive, and the connection goes on (op %s)", r.Op.ID)
	},
}
