package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes such lines on as they are: readers split them
// differently and so see different targets.
var lineSpaces = spec.Case{
	ID: "LINE-SPACES", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A request line with other white space than two single blanks is refused, or arrives as a proper one.",
	Refs:  []string{"RFC 9112 3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "two behind the method", text: begun("GET  " + attacked + " HTTP/1.1"), bodies: []string{""}, keeps: true},
		attack{name: "two before the version", text: begun("GET " + attacked + "  HTTP/1.1"), bodies: []string{""}, keeps: true},
		attack{name: "one at the end", text: begun("GET " + attacked + " HTTP/1.1 "), bodies: []string{""}, keeps: true},
		attack{name: "a tab", text: begun("GET\t" + attacked + "\tHTTP/1.1"), bodies: []string{""}, keeps: true},
		attack{name: "one within the target", text: begun("GET " + attacked + " " + smuggled + " HTTP/1.1"), keeps: true},
	),
}
