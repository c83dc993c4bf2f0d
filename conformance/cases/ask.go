package cases

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// none is the backend of a request for which there must be no route.
const none = -1

// An ask is a request and who must answer it.
type ask struct {
	method string // GET when empty
	host   string
	target string
	want   int // index of a declared backend, or none
	why    string
}

// route sends every ask through every gateway.
func route(ctx context.Context, t *spec.T, asks ...ask) {
	for _, gw := range t.Env().Gateways() {
		s := session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
		for _, a := range asks {
			r := s.Do(ctx, traffic.Request{Method: a.method, Host: a.host, Target: a.target})
			verify(t, gw, a, r)
		}
	}
}

func verify(t *spec.T, gw spec.Gateway, a ask, r traffic.Result) {
	line := strings.TrimSpace(a.method + " " + a.host + a.target)
	switch {
	case r.Reply == nil:
		t.Check(false, "%s: %s: no answer: %v (op %s)", gw.Ref, line, r.Err, r.Op.ID)
	case a.want == none:
		t.Check(r.Reply.Status == http.StatusNotFound && !r.Reply.FromBackend(),
			"%s: %s: got %s, want the gateway's 404 (%s)", gw.Ref, line, said(r), a.why)
	default:
		want := t.Backend(a.want).Ref
		t.Check(r.Backend() == want && r.Reply.Status == http.StatusOK,
			"%s: %s: got %s, want 200 from %s (%s)", gw.Ref, line, said(r), want, a.why)
	}
}

// said is a response in a few words.
func said(r traffic.Result) string {
	if r.Reply == nil {
		return "no answer: " + r.Err.Error()
	}
	who := "the gateway itself"
	if b := r.Backend(); b != "" {
		who = string(b)
	}
	return http.StatusText(r.Reply.Status) + " from " + who
}

// session talks to one address from the first client until the case ends.
func session(t *spec.T, to netip.AddrPort, o traffic.Options) *traffic.Session {
	o.Stream, o.Headers = t.Name("ask"), true
	s := traffic.NewSession(t.Env().Clients()[0], to, t.Env().Recorder(), o)
	t.Cleanup(func(context.Context) error { s.Close(); return nil })
	return s
}

// seen is the request as the backend saw it; the case ends when no backend
// answered.
func seen(t *spec.T, r traffic.Result) echo.Answer {
	if r.Reply == nil || !r.Reply.FromBackend() {
		t.Fatalf("got %s, want an answer of a backend (op %s)", said(r), r.Op.ID)
	}
	var a echo.Answer
	if err := json.Unmarshal(r.Reply.Body, &a); err != nil {
		t.Fatalf("the answer of %s did not come through unchanged: %v in %.200q", r.Backend(), err, r.Reply.Body)
	}
	return a
}

// clientAddr is where the client of an operation dialled from.
func clientAddr(t *spec.T, r traffic.Result) string {
	from, err := netip.ParseAddrPort(r.Op.From)
	if err != nil {
		t.Brokenf("address of the client: %v", err)
	}
	return from.Addr().Unmap().String()
}

// objects reads the embedded archive of a case; its absence is found by a test.
func objects(name string) string {
	b, err := archives.ReadFile(name + ".txtar")
	if err != nil {
		return "missing archive " + name
	}
	return string(b)
}
