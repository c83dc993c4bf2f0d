package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that decides by the method whether a body follows.
var connGetBody = spec.Case{
	ID: "CONN-GET-BODY", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "A body of GET, HEAD, DELETE or OPTIONS is passed on, dropped or refused, and never becomes the next request.",
	Refs:  []string{"RFC 9110 9.3.1", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "GET, announced", text: bodied("GET", false), bodies: []string{"", "{hidden}"}, keeps: true},
		attack{name: "GET, in chunks", text: bodied("GET", true), bodies: []string{"", "{hidden}"}, keeps: true},
		attack{name: "DELETE", text: bodied("DELETE", false), bodies: []string{"", "{hidden}"}, keeps: true},
		attack{name: "OPTIONS", text: bodied("OPTIONS", true), bodies: []string{"", "{hidden}"}, keeps: true},
	),
}
