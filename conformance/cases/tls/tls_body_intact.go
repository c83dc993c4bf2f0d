package tls

import (
	"context"
	"strconv"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that loses or repeats bytes where a body is larger than a TLS
// record or than its buffers.
var tlsBodyIntact = spec.Case{
	ID: "TLS-BODY-INTACT", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI, spec.ProxyBodies}, Env: []spec.Capability{spec.TLS},
	Title:    "Bodies of 0, 16 KiB and a byte more, and 2 MiB and a byte more come through unchanged over TLS, both ways, with a length and in chunks.",
	Refs:     []string{"RFC 8446 5.1", "RFC 9110 8.6"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, _ := oneName(ctx, t, false)
		for _, gw := range t.Env().Gateways() {
			d := traffic.Secure{Dialer: t.Env().Clients()[0].Dialer, Config: client(name)}
			for _, n := range []int{0, 16 << 10, 16<<10 + 1, 2<<20 + 1} {
				for _, chunked := range []bool{false, true} {
					r := traffic.Request{Method: "POST", Host: name, Body: echo.Pattern(n), Chunked: chunked}
					if n > 0 {
						r = r.With(echo.HeaderSize, strconv.Itoa(n))
					}
					if chunked {
						r = r.With(echo.HeaderChunked, "1")
					}
					unchanged(t, callBy(ctx, t, d, gw, r), n)
				}
			}
		}
	},
}

// unchanged compares what both sides sent with what both got.
func unchanged(t *spec.T, v visit, n int) {
	if v.Reply == nil || !v.Reply.FromBackend() {
		t.Check(false, "%s: a body of %d bytes: got %s (op %s)", v.gw.Ref, n, ask.Said(v.Result), v.Op.ID)
		return
	}
	h := t.Env().Recorder().Snapshot().Only(func(o history.Op) bool { return o.ID == v.Op.ID })
	for _, a := range h.Arrivals {
		if a.ID != v.Op.ID {
			continue
		}
		t.Check(a.Seen.BodyLen == int64(n) && a.Seen.BodySum == v.Op.Request.BodySum, "%s: the backend got another body of %d bytes, want the %d that were sent (op %s)", v.gw.Ref, a.Seen.BodyLen, n, v.Op.ID)
		t.Check(a.Answer != nil && v.Op.Response.BodySum == a.Answer.BodySum, "%s: the client got another body of %d bytes, want the %d that the backend sent (op %s)", v.gw.Ref, v.Op.Response.BodyLen, a.Answer.BodyLen, v.Op.ID)
	}
}
