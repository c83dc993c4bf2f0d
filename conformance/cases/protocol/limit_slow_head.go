package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that gives a worker to each unfinished head, and one that loses a
// request that came in two pieces.
var limitSlowHead = spec.Case{
	ID: "LIMIT-SLOW-HEAD", Level: spec.Should, Needs: []spec.Feature{spec.H1Limits},
	Title: "Forty clients that never finish their heads keep nobody waiting, and one that finishes late is answered or its connection has ended.",
	Refs:  []string{"RFC 9112 9.5"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, nil)
		gw := t.Env().Gateways()[0]
		var slow []*raw.Conn
		for range 40 {
			c := raw.Dial(ctx, t, gw.Data)
			_ = c.Write("GET " + attacked + " HTTP/1.1\r\nHost: " + t.Host() + "\r\nX-Slow: ") // an end shows below
			slow = append(slow, c)
		}
		fences(ctx, t, t.Host())
		s := slow[0].Begin(get(t.Host(), attacked, ""))
		_ = slow[0].Write("1\r\nX-Op-Id: " + s.ID() + "\r\n\r\n")
		r := slow[0].Reply(ctx, s)
		t.Check(r.Mine() || r.Ended() || r.Reply != nil && r.Reply.Status == 408, "the late one got %s (op %s)", r, r.Op.ID)
	},
}
