package h2

import (
	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that writes names into a request of HTTP/1.1 as they come: what is
// one name for HTTP/2 is two lines, or another field, there.
var fieldsNames = spec.Case{
	ID: "H2-FIELDS-NAMES", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "A request of HTTP/2 with a field whose name has capitals, blanks, colons, ends of lines or nothing at all is refused and does not arrive.",
	Refs:   []string{"RFC 9113 8.2.1", "RFC 9113 10.3"},
	Played: 1,
	Run: strict(
		attack{name: "all that a token may have", fields: plain(framed.F("x-9!#$%&'*+-.^_`|~z", "1")), accept: true},
		attack{name: "a capital", fields: plain(framed.F("x-Name", "1"))},
		attack{name: "a capital in Transfer-Encoding", fields: posted(framed.F("Transfer-Encoding", "chunked")), body: "0\r\n\r\n"},
		attack{name: "a blank", fields: plain(framed.F("x name", "1"))},
		attack{name: "a blank at the end", fields: plain(framed.F("transfer-encoding ", "chunked"))},
		attack{name: "a colon", fields: plain(framed.F("x-name: 1\r\nx-more", "1"))},
		attack{name: "a colon within", fields: plain(framed.F("transfer-encoding: chunked", "1"))},
		attack{name: "an end of a line", fields: plain(framed.F("x\r\ny", "1"))},
		attack{name: "a NUL", fields: plain(framed.F("x\x00y", "1"))},
		attack{name: "a high byte", fields: plain(framed.F("x\xffy", "1"))},
		attack{name: "nothing", fields: plain(framed.F("", "1"))},
	),
}
