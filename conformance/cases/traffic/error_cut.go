package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that ends an answer properly although its target did not: half
// a file or half an invoice passes for the whole, and caches keep it.
var errorCut = spec.Case{
	ID: "ERR-CUT-BODY", Level: spec.Must, Needs: []spec.Feature{spec.ProxyBodies},
	Title:    "When a backend ends in the middle of an answer, by FIN or by RST, announced or chunked, the client does not get a complete answer.",
	Refs:     []string{"RFC 9112 8", "RFC 9112 6.3"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		s := one(t)
		for _, end := range []history.Field{{Name: echo.HeaderReset, Value: "body"}, {Name: echo.HeaderClose, Value: "body"}, {Name: echo.HeaderLengthOff, Value: "100"}} {
			for _, size := range []string{"1000", "300000"} { // within the buffers of the gateway, and beyond
				for _, chunked := range []string{"", "1"} {
					req := traffic.Request{Host: t.Host(), Header: []history.Field{end}}.With(echo.HeaderSize, size)
					if chunked != "" {
						req = req.With(echo.HeaderChunked, chunked)
					}
					r := s.Do(ctx, req)
					t.Check(r.Reply == nil || own(r, http.StatusBadGateway), "%s: %s of %s bytes, chunked %q: got %s with %d bytes as a complete answer (op %s)",
						end.Name, end.Value, size, chunked, ask.Said(r), length(r), r.Op.ID)
					t.Check(r.Op.Class != history.ClassTimeout, "%s of %s bytes: the client was left waiting (op %s)", end.Name, size, r.Op.ID)
				}
			}
		}
	},
}
