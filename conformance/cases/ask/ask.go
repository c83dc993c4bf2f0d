package ask

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// None is the backend of a request for which there must be no route.
const None = -1

// An Expect is a request and who must answer it.
type Expect struct {
	Method  string // GET when empty
	Host    string
	Target  string // "/" when empty
	Header  []history.Field
	Body    string // must reach the backend as it is
	Chunked bool   // the length of the body is not announced
	Want    int    // index of a declared backend, or None
	Times   int    // how often it is asked, once when 0
	Why     string // the part of the statement that the request is about
}

// Route sends every request through every gateway, over one connection each, and
// checks who answers.
func Route(ctx context.Context, t *spec.T, asks ...Expect) {
	RouteFrom(ctx, t, t.Env().Clients()[0], asks...)
}

// RouteFrom is Route from a client.
func RouteFrom(ctx context.Context, t *spec.T, from traffic.Client, asks ...Expect) {
	for _, gw := range t.Env().Gateways() {
		s := SessionFrom(t, from, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
		for _, a := range asks {
			for range max(a.Times, 1) {
				r := s.Do(ctx, traffic.Request{Method: a.Method, Host: a.Host, Target: a.Target, Header: a.Header, Body: []byte(a.Body), Chunked: a.Chunked})
				verify(t, gw, a, r)
			}
		}
	}
}

func verify(t *spec.T, gw spec.Gateway, a Expect, r traffic.Result) {
	line := strings.TrimSpace(a.Method + " " + a.Host + a.Target)
	switch {
	case r.Reply == nil:
		t.Check(false, "%s: %s: no answer: %v (op %s)", gw.Ref, line, r.Err, r.Op.ID)
	case a.Want == None:
		t.Check(r.Reply.Status == http.StatusNotFound && !r.Reply.FromBackend(),
			"%s: %s: got %s, want the gateway's 404 (%s)", gw.Ref, line, Said(r), a.Why)
	default:
		want := t.Backend(a.Want).Ref
		t.Check(r.Backend() == want && r.Reply.Status == http.StatusOK,
			"%s: %s: got %s, want 200 from %s (%s)", gw.Ref, line, Said(r), want, a.Why)
		if a.Body != "" && r.Reply.FromBackend() {
			seen, sent := Seen(t, r).Seen, r.Op.Request
			t.Check(seen.BodySum == sent.BodySum, "%s: %s: the backend got %d bytes of the body's %d, or others (%s)", gw.Ref, line, seen.BodyLen, sent.BodyLen, a.Why)
		}
	}
}

// Said is a response in a few words.
func Said(r traffic.Result) string {
	if r.Reply == nil {
		return "no answer: " + r.Err.Error()
	}
	who := "the gateway itself"
	if b := r.Backend(); b != "" {
		who = string(b)
	}
	return http.StatusText(r.Reply.Status) + " from " + who
}

// Session talks to one address from the first client until the case ends.
func Session(t *spec.T, to netip.AddrPort, o traffic.Options) *traffic.Session {
	return SessionFrom(t, t.Env().Clients()[0], to, o)
}

// SessionFrom is Session from a client.
func SessionFrom(t *spec.T, from traffic.Client, to netip.AddrPort, o traffic.Options) *traffic.Session {
	o.Stream, o.Headers = t.Name("ask"), true
	s := traffic.NewSession(from, to, t.Env().Recorder(), o)
	t.Cleanup(func(context.Context) error { s.Close(); return nil })
	return s
}

// Seen is the request as the backend saw it; the case ends when no backend
// answered.
func Seen(t *spec.T, r traffic.Result) echo.Answer {
	if r.Reply == nil || !r.Reply.FromBackend() {
		t.Fatalf("got %s, want an answer of a backend (op %s)", Said(r), r.Op.ID)
	}
	var a echo.Answer
	if err := json.Unmarshal(r.Reply.Body, &a); err != nil {
		t.Fatalf("the answer of %s did not come through unchanged: %v in %.200q", r.Backend(), err, r.Reply.Body)
	}
	return a
}

// ClientAddr is where the client of an operation dialled from.
func ClientAddr(t *spec.T, r traffic.Result) string {
	from, err := netip.ParseAddrPort(r.Op.From)
	if err != nil {
		t.Brokenf("address of the client: %v", err)
	}
	return from.Addr().Unmap().String()
}
