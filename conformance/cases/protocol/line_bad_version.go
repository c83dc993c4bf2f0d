package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that copies the version of the client: an intermediary speaks for
// itself. Also one that reads HTTP/1.10 or http/1.1 as 1.1.
var lineBadVersion = spec.Case{
	ID: "LINE-BAD-VERSION", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "What is no version of HTTP/1 is refused; a version that the gateway takes is replaced by its own.",
	Refs:  []string{"RFC 9110 2.5", "RFC 9112 2.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a higher minor version", text: begun("GET " + attacked + " HTTP/1.2"), bodies: []string{""}, keeps: true},
		attack{name: "2.0 in text", text: begun("GET " + attacked + " HTTP/2.0"), keeps: true},
		attack{name: "0.9", text: begun("GET " + attacked + " HTTP/0.9"), keeps: true},
		attack{name: "two digits", text: begun("GET " + attacked + " HTTP/1.10"), keeps: true},
		attack{name: "small letters", text: begun("GET " + attacked + " http/1.1"), keeps: true},
		attack{name: "another protocol", text: begun("GET " + attacked + " RTSP/1.0"), keeps: true},
		attack{name: "something behind it", text: begun("GET " + attacked + " HTTP/1.1x"), keeps: true},
	),
}
