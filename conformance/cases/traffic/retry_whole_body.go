package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that has given a request's body away when it tries again: the
// second target gets an empty document, or the end of it, and stores that.
var retryWholeBody = spec.Case{
	ID: "RETRY-WHOLE-BODY", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamRetries},
	Title: "A PUT whose target cuts the connection after reading it goes to another target, with its whole body.",
	Refs:  []string{"APISIX 3.18 upstream.retries", "RFC 9110 9.2.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1, "{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		const bodySize = 8000 // no gateway need keep more than its usual buffer
		bad, good := t.Backend(0), t.Backend(1)
		bad.Server.SetBehaviour(echo.Behaviour{Reset: echo.ResetHead})
		s := one(t)
		for i := range 8 {
			r := s.Do(ctx, traffic.Request{Method: http.MethodPut, Host: t.Host(), Body: echo.Pattern(bodySize), Chunked: i%4 > 1})
			if r.Backend() != good.Ref {
				t.Check(false, "got %s, want the answer of %s (op %s)", ask.Said(r), good.Ref, r.Op.ID)
				continue
			}
			a := ask.Seen(t, r)
			t.Check(a.Seen.BodySum == r.Op.Request.BodySum, "%s got %d bytes of body, want the %d that were sent (op %s)", good.Ref, a.Seen.BodyLen, bodySize, r.Op.ID)
		}
		t.Check(bad.Server.Requests() > 0, "no request met the target that cuts connections")
	},
}
