package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway whose library asks for compression on its own and takes it off
// again: digests and lengths of the backend are wrong then, and so are ranges.
var bodyNoTransform = spec.Case{
	ID: "BODY-NO-TRANSFORM", Level: spec.Must, Needs: []spec.Feature{spec.ProxyBodies},
	Title:    "The gateway neither asks for a coding that the client did not ask for, nor adds one to, nor takes one off a body marked no-transform.",
	Refs:     []string{"RFC 9110 7.7", "RFC 9110 8.4", "RFC 9111 5.2.2.6"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		s := one(t)
		a := ask.Seen(t, s.Do(ctx, traffic.Request{Host: t.Host()}))
		t.Check(len(a.Values("Accept-Encoding")) == 0, "the client asked for no coding, the backend saw Accept-Encoding %q", a.Values("Accept-Encoding"))
		for _, coding := range []string{"", "gzip", "br"} {
			req := traffic.Request{Host: t.Host()}.With("Accept-Encoding", "gzip, br").With(echo.HeaderSize, "5000").
				With(echo.HeaderAdd, "Cache-Control: no-transform").With(echo.HeaderAdd, "ETag: \"strong\"")
			if coding != "" {
				req = req.With(echo.HeaderAdd, "Content-Encoding: "+coding)
			}
			r := s.Do(ctx, req)
			if r.Reply == nil || r.Reply.Status != http.StatusOK {
				t.Fatalf("coding %q: got %s, want 200 (op %s)", coding, ask.Said(r), r.Op.ID)
			}
			h := r.Reply.Header
			t.Check(string(r.Reply.Body) == string(echo.Pattern(5000)) && h.Get("Content-Encoding") == coding && h.Get("ETag") == `"strong"`,
				"coding %q: got %d bytes with coding %q and ETag %s, want the 5000 of the backend as they were", coding, r.Reply.Length, h.Get("Content-Encoding"), h.Get("ETag"))
		}
	},
}
