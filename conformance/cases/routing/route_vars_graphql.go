package routing

import (
	"context"
	"net/url"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that looks for words in a document instead of reading it.
var routeVarsGraphql = spec.Case{
	ID: "ROUTE-VARS-GRAPHQL", Level: spec.Must, Needs: []spec.Feature{spec.RouteVarsBody, spec.RouteVars, spec.RoutePriority},
	Title: "Conditions know the operation of a GraphQL request, its name and the fields at its top.",
	Refs:  []string{"APISIX 3.18 route.vars, graphql_name, graphql_operation, graphql_root_fields"},
	After: []string{"ROUTE-VARS-BODY"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/kind", "vars": [["graphql_operation", "==", "mutation"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/name", "vars": [["graphql_name", "==", "getRepo"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/fields", "vars": [["graphql_root_fields", "has", "owner"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		post := func(kind, target, body string, want int, why string) ask.Expect {
			return ask.Expect{Method: "POST", Host: t.Host(), Target: target, Header: with("Content-Type", kind), Body: body, Want: want, Why: why}
		}
		graphql := func(target, body string, want int, why string) ask.Expect {
			return post("application/graphql", target, body, want, why)
		}
		get := func(target, document string, want int, why string) ask.Expect {
			return ask.Expect{Host: t.Host(), Target: target + "?query=" + url.QueryEscape(document), Want: want, Why: why}
		}
		ask.Route(ctx, t,
			graphql("/kind", "mutation { pay { ok } }", 0, "a mutation"),
			graphql("/kind", "query { mutation }", 1, "a query with a field of that name"),
			graphql("/kind", "{ pay }", 1, "short for a query"),
			graphql("/kind", "mutation { pay", 1, "no document"),
			post("application/json", "/kind", `{"query":"mutation M { pay { ok } }","variables":{}}`, 0, "a mutation in JSON"),
			post("application/json", "/kind", `{"query":"{ pay }","note":"mutation"}`, 1, "a query in JSON"),
			post("application/json", "/kind", `{"document":"mutation { pay }"}`, 1, "JSON without a query"),
			get("/kind", "mutation { pay }", 0, "a mutation in the argument of a GET"), get("/kind", "{ pay }", 1, "a query in the argument of a GET"),
			ask.Expect{Host: t.Host(), Target: "/kind", Want: 1, Why: "no document"},

			graphql("/name", "query getRepo($id: Int = 1) { repo(id: $id) { name } }", 0, "a query of that name"),
			graphql("/name", "# getRepo\nquery getRepos { getRepo }", 1, "another name"), graphql("/name", "{ getRepo }", 1, "no name"),

			graphql("/fields", "{ repo owner { name } }", 0, "a field at the top"),
			graphql("/fields", "{ mine: owner(first: 1) @include(if: true) { name } }", 0, "a field with another name for the answer"),
			graphql("/fields", "{ repo { owner { name } } }", 1, "a field below the top"), graphql("/fields", "query owner { owner: repo }", 1, "what is called so and is not that field"),
		)
	},
}
