package routing

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes all values for text, or finds names at the top only.
var routeVarsBody = spec.Case{
	ID: "ROUTE-VARS-BODY", Level: spec.Must, Needs: []spec.Feature{spec.RouteVarsBody, spec.RouteVars, spec.RoutePriority},
	Title: "Conditions find values in a JSON body by their paths, and compare them as what they are.",
	Refs:  []string{"APISIX 3.18 route.vars, post_arg.<jsonpath>", "lua-resty-expr 1.3.2"},
	After: []string{"ROUTE-VARS-FORM", "ROUTE-VARS-NUMBERS"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/path", "vars": [["post_arg.user.role", "==", "admin"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/number", "vars": [["post_arg.max", ">", 100]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/true", "vars": [["post_arg.stream", "==", true]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/list", "vars": [["post_arg.tags", "has", "b"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "{{.Host}}", "uri": "/all", "vars": [["post_arg.messages[*].content[*].type", "has", "image_url"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-f --
{"host": "{{.Host}}", "uri": "/text", "vars": [["post_arg.max", "==", "7"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-g --
{"host": "{{.Host}}", "uri": "/absent", "vars": [["post_arg.max", "==", null]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-h --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		of := func(kind, target, body string, want int, why string) ask.Expect {
			return ask.Expect{Method: "POST", Host: t.Host(), Target: target, Header: with("Content-Type", kind), Body: body, Want: want, Why: why}
		}
		json := func(target, body string, want int, why string) ask.Expect {
			return of("application/json", target, body, want, why)
		}
		filler := `{"filler":"` + strings.Repeat("x", 300<<10) + `",`
		multipart := "--b\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name=\"max\"\r\n\r\n101\r\n--b--\r\n"
		ask.Route(ctx, t,
			json("/path", `{"user":{"name":"anna","role":"admin"}}`, 0, "below another"),
			json("/path", `{"user":{"role":"guest"}}`, 1, "another value"),
			json("/path", `{"user":{"owner":{"role":"admin"}},"role":"admin"}`, 1, "elsewhere"),
			json("/path", `{"user":"admin"}`, 1, "nothing below it"),
			json("/path", `{"user.role":"admin"}`, 1, "a name with a dot is another"),
			json("/path", `{"user":{"role":"admin"}`, 1, "no JSON"),
			json("/path", filler+`"user":{"role":"admin"}}`, 0, "at the end of a long body"),
			of("application/json; charset=utf-8", "/path", `{"user":{"role":"admin"}}`, 0, "the type has a parameter"),
			of("text/plain", "/path", `{"user":{"role":"admin"}}`, 1, "a body of another type is no JSON"),

			json("/number", `{"max":101}`, 0, "a number"), json("/number", `{"max":100}`, 1, "a number that is not greater"), json("/number", `{"max":20}`, 1, "as text it is greater"),
			json("/number", `{"max":"101"}`, 0, "text is converted"), json("/number", `{"max":true}`, 1, "no number"), json("/number", `{"max":null}`, 1, "no number"),
			of(formType, "/number", "max=101", 0, "a field of a form"), of("multipart/form-data; boundary=b", "/number", multipart, 0, "a field of a form in parts"),

			json("/true", `{"stream":true}`, 0, "true"), json("/true", `{"stream":false}`, 1, "false"), json("/true", `{"stream":"true"}`, 1, "text"), json("/true", `{}`, 1, "absent"),

			json("/list", `{"tags":["a","b"]}`, 0, "one of a list"), json("/list", `{"tags":["ab"]}`, 1, "a part of one"), json("/list", `{"tags":"b"}`, 1, "a text is no list"), json("/list", `{"tags":[]}`, 1, "an empty list"),
			of(formType, "/list", "tags=a&tags=b", 0, "a field that is repeated is a list"),

			json("/all", `{"messages":[{"content":[{"type":"text"}]},{"content":[{"type":"text"},{"type":"image_url"}]}]}`, 0, "one of many"),
			json("/all", `{"messages":[{"content":[{"type":"image_url"}]}]}`, 0, "the only one"),
			json("/all", `{"messages":[{"content":[{"type":"text","image_url":"image_url"}]}]}`, 1, "none"), json("/all", `{"messages":[]}`, 1, "nothing to look at"),

			json("/text", `{"max":7}`, 1, "a number is no text"), json("/text", `{"max":"7"}`, 0, "text"),
			json("/absent", `{}`, 0, "absent"), json("/absent", `{"max":0}`, 1, "there"),
		)
	},
}
