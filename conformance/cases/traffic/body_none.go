package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that sends a body where there can be none, or waits for one
// that does not come: the next answer on the connection begins in the wrong place.
var bodyNone = spec.Case{
	ID: "BODY-NONE", Level: spec.Must, Needs: []spec.Feature{spec.ProxyBodies},
	Title:    "Answers to HEAD, and 204 and 304, come without a body, HEAD with the length of the GET, and the connection goes on in step.",
	Refs:     []string{"RFC 9110 9.3.2", "RFC 9110 15.3.5", "RFC 9110 15.4.5", "RFC 9112 6.3"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			carried := 0 // requests on the connection, as long as nobody ends it
			send := func(method, status string) {
				r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host()}.With(echo.HeaderStatus, status).With(echo.HeaderSize, "1000"))
				if r.Backend() == "" {
					t.Fatalf("%s: %s with %s: got %s, want an answer of the backend (op %s)", gw.Ref, method, status, ask.Said(r), r.Op.ID)
				}
				t.Check(r.Op.Reused == carried, "%s: %s with %s: the connection had carried %d requests, want %d: it was out of step (op %s)", gw.Ref, method, status, r.Op.Reused, carried, r.Op.ID)
				if carried++; r.Reply.Close {
					carried = 0
				}
				length := r.Reply.Header.Get("Content-Length")
				switch {
				case method == http.MethodHead:
					t.Check(length == "" || length == "1000", "%s: HEAD: got length %q, want that of the GET or none", gw.Ref, length)
				case status == "204":
					t.Check(length == "" && r.Reply.Header.Get("Transfer-Encoding") == "", "%s: 204 came with a framing: %v", gw.Ref, r.Reply.Header)
				case status == "200":
					t.Check(r.Reply.Length == 1000, "%s: %s: got %d bytes, want 1000", gw.Ref, method, r.Reply.Length)
				}
			}
			for _, c := range []struct{ method, status string }{{"HEAD", "200"}, {"GET", "204"}, {"GET", "304"}, {"HEAD", "404"}, {"POST", "204"}} {
				send(c.method, c.status)
				send("GET", "200")
			}
		}
		heads := 0
		for _, a := range arrivals(t) {
			if a.Seen.Method == http.MethodHead {
				heads++
			}
		}
		t.Check(heads == 2*len(t.Env().Gateways()), "the backend saw %d HEAD, want %d", heads, 2*len(t.Env().Gateways()))
	},
}
