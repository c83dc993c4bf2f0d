package protocol

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that does not look at a kept connection before it uses it again.
var respUnasked = spec.Case{
	ID: "RESP-UNASKED", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "What a backend sends while it has no request to answer is never given to the next client.",
	Refs:  []string{"RFC 9112 6.3", "RFC 9112 9.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		said := make(chan struct{}, 100)
		b := raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			a := b.Echo(r)
			a.Then = func(c net.Conn, _ []byte) {
				// A gateway that has closed already is right.
				_, _ = io.WriteString(c, b.Head(raw.Request{}, 200, "Content-Length: 9")+smuggled[:9])
				_ = raw.Taken(ctx, c)
				said <- struct{}{}
				_, _ = io.Copy(io.Discard, c) // requests that come too late are not answered
			}
			return a
		})
		for i := range 20 {
			c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
			r := c.Do(ctx, get(t.Host(), fmt.Sprintf("/%d", i), "Connection: close\r\n"))
			ended := r.Reply != nil && !r.Reply.FromBackend() // 502: the connection broke
			t.Check(r.Mine() || ended, "request %d: got %s, want its own answer (op %s)", i, r, r.Op.ID)
			if r.Mine() {
				<-said        // before the next request is sent
				for range 4 { // and with other things to do, so that it can look
					c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
					c.Do(ctx, get("none."+t.Host(), "/", "Connection: close\r\n"))
					_ = c.Close() // it was the last request
				}
			}
		}
		for _, d := range b.Take().Doubts {
			t.Check(false, "in doubt: %s", d)
		}
	},
}
