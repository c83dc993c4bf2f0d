package traffic

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that overwrites, drops, cuts or repeats parts of bodies:
// buffers that are used again too early, a limit that cuts in silence, a chunked
// body that is taken for none.
var bodyIntact = spec.Case{
	ID: "BODY-INTACT", Level: spec.Must, Needs: []spec.Feature{spec.ProxyBodies},
	Title: "Bodies from nothing to a mebibyte, announced and chunked, arrive byte for byte at the backend, and back at the client.",
	Refs:  []string{"RFC 9112 6", "RFC 9110 7.7"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Timeout:  60 * time.Second,
	Run: func(ctx context.Context, t *spec.T) {
		sizes := []int{0, 1, 4096, 65_537, 1<<20 + 3} // beside the sizes of usual buffers
		ops := map[string]bool{}
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}, KeepBody: 1})
			for n := range 4 * len(sizes) { // each size each way, announced and chunked
				i, framing := n%len(sizes), n/len(sizes)
				up, down := sizes[i], sizes[(i+framing)%len(sizes)]
				r := traffic.Request{Method: http.MethodPost, Host: t.Host(), Body: echo.Pattern(up), Chunked: framing&1 != 0}
				if down > 0 { // nothing asked for is the usual answer
					r = r.With(echo.HeaderSize, strconv.Itoa(down))
				}
				if framing&2 != 0 {
					r = r.With(echo.HeaderChunked, "1")
				}
				got := s.Do(ctx, r)
				ops[got.Op.ID] = true
				t.Check(got.Backend() == t.Backend(0).Ref && got.Reply.Status == http.StatusOK, "%s: %d bytes, chunked %t: got %s, want 200 from %s (op %s)",
					gw.Ref, up, r.Chunked, ask.Said(got), t.Backend(0).Ref, got.Op.ID)
			}
		}
		h := t.Env().Recorder().Snapshot().Only(func(o history.Op) bool { return ops[o.ID] })
		t.Verdicts(check.NoRequestLost().Check(h, t.Env().Facts()))
	},
}
