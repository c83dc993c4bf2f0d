package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that copies the version of the client: an intermediary speaks for
// itself.
var lineBadVersion = spec.Case{
	ID: "LINE-BAD-VERSION", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A request of another version than HTTP/1.0 and HTTP/1.1 is refused, or arrives with a version of the gateway's own.",
	Refs:  []string{"RFC 9110 2.5", "RFC 9112 2.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a higher minor version", text: begun("GET " + attacked + " HTTP/1.2"), bodies: []string{""}, keeps: true},
		attack{name: "2.0 in text", text: begun("GET " + attacked + " HTTP/2.0"), bodies: []string{""}, keeps: true},
		attack{name: "0.9", text: begun("GET " + attacked + " HTTP/0.9"), bodies: []string{""}, keeps: true},
		attack{name: "two digits", text: begun("GET " + attacked + " HTTP/1.10"), bodies: []string{""}, keeps: true},
		attack{name: "small letters", text: begun("GET " + attacked + " http/1.1"), bodies: []string{""}, keeps: true},
		attack{name: "something behind it", text: begun("GET " + attacked + " HTTP/1.1x"), bodies: []string{""}, keeps: true},
	),
}
