package routing

import (
	"context"
	"fmt"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that looks for text anywhere in a body, or in a part of it: one that
// routes when the head is there sees what has come by chance.
var routeVarsForm = spec.Case{
	ID: "ROUTE-VARS-FORM", Level: spec.Must, Needs: []spec.Feature{spec.RouteVarsBody, spec.RouteVars, spec.RoutePriority},
	Title: "A condition on a field of a form takes the first of that name, decoded, and the backend gets the form as it came.",
	Refs:  []string{"APISIX 3.18 route.vars, post_arg_<name>"},
	After: []string{"ROUTE-VARS-ARG"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/*", "vars": [["post_arg_v", "==", "b c&d"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		filler := "filler=" + strings.Repeat("x", 300<<10)
		form := func(body string, want int, why string) ask.Expect {
			return ask.Expect{Method: "POST", Host: h, Target: "/x", Header: with("Content-Type", formType), Body: body, Want: want, Why: why}
		}
		chunked := form(filler+"&v=b%20c%26d", 0, "at the end of a long form in chunks")
		chunked.Chunked = true
		parameter, json := form("v=b+c%26d", 0, "the type has a parameter"), form("v=b+c%26d", 1, "a body of another type is no form")
		parameter.Header, json.Header = with("Content-Type", formType+"; charset=utf-8"), with("Content-Type", "text/plain")
		query := form("a=1", 1, "an argument of the query is no field")
		query.Target = "/x?v=b+c%26d"
		ask.Route(ctx, t,
			form("v=b+c%26d", 0, "alone"),
			form("a=1&v=b%20c%26d&z=2", 0, "among others"),
			form("v=b+c%26d&v=2", 0, "the first counts"),
			form("v=2&v=b+c%26d", 1, "the first counts"),
			form("v=b c&d", 1, "not encoded, and so cut"),
			form("nav=b+c%26d", 1, "another name that ends so"),
			form("a=v=b+c%26d", 1, "the value of another"),
			form("v=", 1, "empty"),
			form(filler+"&v=b+c%26d", 0, "at the end of a long form"),
			form(filler+"&v=b", 1, "at the end of a long form, another value"),
			chunked, parameter, json, query,
			ask.Expect{Host: h, Target: "/x", Header: with("Content-Type", formType), Want: 1, Why: "no body"},
			ask.Expect{Method: "POST", Host: h, Target: "/x", Want: 1, Why: "no body, and no type"},
		)
		for _, gw := range t.Env().Gateways() {
			inPieces(ctx, t, gw, "v=b+", 0, "c%26d", "&z=1")
			inPieces(ctx, t, gw, "z=1", 1, "&v=b", "+c")
		}
	},
}

const formType = "application/x-www-form-urlencoded"

// inPieces sends the head of a form and then each piece of its body, and between them
// has the gateway do something else: what came may be read by then.
func inPieces(ctx context.Context, t *spec.T, gw spec.Gateway, first string, want int, more ...string) {
	c := raw.Dial(ctx, t, gw.Data)
	body := first + strings.Join(more, "")
	head := fmt.Sprintf("POST /pieces HTTP/1.1\r\nHost: %s\r\nX-Op-Id: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", t.Host(), raw.OpMark, formType, len(body))
	s := c.Begin(head + body)
	for _, piece := range append([]string{strings.ReplaceAll(head, raw.OpMark, s.ID()), first}, more...) {
		if c.Write(piece) != nil {
			break // the answer tells why
		}
		other := raw.Dial(ctx, t, gw.Data)
		other.Do(ctx, fmt.Sprintf("GET / HTTP/1.1\r\nHost: none.%s\r\nX-Op-Id: %s\r\nConnection: close\r\n\r\n", t.Host(), raw.OpMark))
		_ = other.Close() // it was the last request
	}
	r := c.Reply(ctx, s)
	t.Check(r.Mine() && r.Op.Response.Backend == t.Backend(want).Ref, "%s: the form %s in pieces: got %s, want 200 from %s (op %s)", gw.Ref, body, r, t.Backend(want).Ref, r.Op.ID)
}
