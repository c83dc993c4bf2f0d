package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that reads HTTP/1.10, http/1.1 or HTTP/2.0 as 1.1: others do not.
var lineNotHTTP1 = spec.Case{
	ID: "LINE-NOT-HTTP1", Level: spec.Should, Needs: []spec.Feature{spec.H1Syntax},
	Title: "What is no version of HTTP/1 is refused.",
	Refs:  []string{"RFC 9112 2.3", "RFC 9112 3", "RFC 9110 15.6.6"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "2.0 in text", text: begun("GET " + attacked + " HTTP/2.0"), keeps: true},
		attack{name: "0.9", text: begun("GET " + attacked + " HTTP/0.9"), keeps: true},
		attack{name: "two digits", text: begun("GET " + attacked + " HTTP/1.10"), keeps: true},
		attack{name: "small letters", text: begun("GET " + attacked + " http/1.1"), keeps: true},
		attack{name: "another protocol", text: begun("GET " + attacked + " RTSP/1.0"), keeps: true},
		attack{name: "something behind it", text: begun("GET " + attacked + " HTTP/1.1x"), keeps: true},
	),
}
