package h2

import (
	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that makes a request of whatever pseudo fields it gets: two
// readers that guess differently see different requests.
var fieldsPseudo = spec.Case{
	ID: "H2-FIELDS-PSEUDO", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "A request of HTTP/2 whose pseudo fields are missing, empty, repeated, unknown, of an answer, or behind other fields is refused and does not arrive; their order among themselves does not matter.",
	Refs:   []string{"RFC 9113 8.3", "RFC 9113 8.3.1"},
	Played: 1,
	Run: strict(
		attack{name: "another order", fields: listed(path, authority, scheme, method, mark), accept: true},
		attack{name: "no method", fields: listed(scheme, authority, path, mark)},
		attack{name: "no scheme", fields: listed(method, authority, path, mark)},
		attack{name: "no path", fields: listed(method, scheme, authority, mark)},
		attack{name: "an empty path", fields: listed(method, scheme, authority, framed.F(":path", ""), mark)},
		attack{name: "a path without its slash", fields: listed(method, scheme, authority, framed.F(":path", "attack"), mark)},
		attack{name: "two methods", fields: listed(method, method, scheme, authority, path, mark)},
		attack{name: "two paths", fields: listed(method, scheme, authority, path, framed.F(":path", "/smuggled"), mark)},
		attack{name: "two authorities", fields: listed(method, scheme, authority, authority, path, mark)},
		attack{name: "one behind a field", fields: listed(method, scheme, authority, mark, path)},
		attack{name: "one of an answer", fields: listed(method, scheme, authority, path, framed.F(":status", "200"), mark)},
		attack{name: "an unknown one", fields: listed(method, scheme, authority, path, framed.F(":proxy", "x"), mark)},
	),
}

// The fields of a good request, for listed.
var (
	method    = framed.F(":method", "GET")
	scheme    = framed.F(":scheme", "https")
	authority = framed.F(":authority", "{host}")
	path      = framed.F(":path", attacked)
	mark      = framed.F("x-op-id", framed.OpMark)
)
