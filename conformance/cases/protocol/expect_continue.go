package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that removes the expectation and does not meet it: client and
// gateway wait for each other.
var expectContinue = spec.Case{
	ID: "EXPECT-CONTINUE", Level: spec.Must, Needs: []spec.Feature{spec.H1Expect},
	Title: "A client that waits for 100 before it sends its body gets it, or a final answer, and the body arrives.",
	Refs:  []string{"RFC 9110 10.1.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		b := raw.Play(t, 0, nil)
		b.Early(func(r raw.Request) *raw.Answer { // of a gateway that passes the expectation on
			if r.Fields.Lists("Expect", "100-continue") {
				return &raw.Answer{Bytes: "HTTP/1.1 100 Continue\r\n\r\n"}
			}
			return nil
		})
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		for range 2 {
			head := post("Expect: 100-continue\r\nContent-Length: 5\r\n", "")(t.Host())
			c.OnInterim = func(status int) {
				if status == 100 {
					c.OnInterim = nil
					_ = c.Write("hello") // the answer tells what became of it
				}
			}
			r := c.Do(ctx, head)
			t.Check(r.Mine() && r.Reply.Status == 200 && len(r.Interim) > 0, "got %s after %v, want 100 and then 200 from the backend (op %s)", r, r.Interim, r.Op.ID)
			c.OnInterim = nil
			if r.Reply == nil {
				break
			}
		}
		for _, r := range b.Take().Requests {
			t.Check(string(r.Body) == "hello", "the backend saw the body %q, want hello", r.Body)
		}
	},
}
