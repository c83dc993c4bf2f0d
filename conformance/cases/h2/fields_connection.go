package h2

import (
	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that writes fields of HTTP/1.1's framing into the request for its
// target as a client of HTTP/2 gave them: its target finds the end of the body where
// the attacker wants, and the rest becomes somebody else's request.
var fieldsConnection = spec.Case{
	ID: "H2-FIELDS-CONNECTION", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "A request of HTTP/2 that has fields of a connection of HTTP/1.1, or a TE that is not trailers, is refused and does not arrive; TE: trailers is none of them.",
	Refs:   []string{"RFC 9113 8.2.2", "RFC 9113 10.3", "CVE-2021-33193"},
	Played: 1,
	Run: strict(
		attack{name: "te: trailers", fields: plain(framed.F("te", "trailers")), accept: true},
		attack{name: "connection", fields: plain(framed.F("connection", "close"))},
		attack{name: "connection with a name", fields: plain(framed.F("connection", "x-forwarded-for"))},
		attack{name: "keep-alive", fields: plain(framed.F("keep-alive", "timeout=5"))},
		attack{name: "proxy-connection", fields: plain(framed.F("proxy-connection", "keep-alive"))},
		attack{name: "upgrade", fields: plain(framed.F("upgrade", "websocket"))},
		attack{name: "te: gzip", fields: plain(framed.F("te", "gzip"))},
		attack{name: "transfer-encoding", fields: posted(framed.F("transfer-encoding", "chunked")), body: "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"},
		attack{name: "transfer-encoding and content-length", fields: posted(framed.F("transfer-encoding", "chunked"), framed.F("content-length", "5")), body: "0\r\n\r\n"},
	),
}
