package h2

import (
	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that tells its target the length that the client says, and sends
// the bytes that come: what is too much is the next request, and what is missing is
// taken from it.
var lengthDiffers = spec.Case{
	ID: "H2-LENGTH-DIFFERS", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "A request of HTTP/2 whose content-length is none, comes twice, or is not that of its body is refused and does not arrive whole; one without, and one with the right one, arrive.",
	Refs:   []string{"RFC 9113 8.1.1", "RFC 9110 8.6"},
	Played: 1,
	Run: strict(
		attack{name: "none", fields: posted(), body: "hello", accept: true},
		attack{name: "the right one", fields: posted(framed.F("content-length", "5")), body: "hello", accept: true},
		attack{name: "too short", fields: posted(framed.F("content-length", "5")), body: "helloGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"},
		attack{name: "too long", fields: posted(framed.F("content-length", "50")), body: "hello"},
		attack{name: "without a body", fields: plain(framed.F("content-length", "5"))},
		attack{name: "two that differ", fields: posted(framed.F("content-length", "5"), framed.F("content-length", "6")), body: "hello"},
		attack{name: "a sign", fields: posted(framed.F("content-length", "+5")), body: "hello"},
		attack{name: "a list", fields: posted(framed.F("content-length", "5, 6")), body: "hello"},
	),
}
