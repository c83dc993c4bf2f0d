package h2

import (
	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that decides by one of two names and tells its target the other:
// who may see what is decided for one host, and the other is served.
var hostDiffers = spec.Case{
	ID: "H2-HOST-DIFFERS", Level: spec.Should, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "A request of HTTP/2 whose host is not its :authority, or that has two, is refused and does not arrive; one that says the same twice is served.",
	Refs:   []string{"RFC 9113 8.3.1: SHOULD be treated as malformed", "RFC 9110 7.2"},
	After:  []string{"H2-HOST-SENT"},
	Played: 1,
	Run: strict(
		attack{name: "the same", fields: listed(method, scheme, authority, path, framed.F("host", "{host}"), mark), accept: true, also: hosted},
		attack{name: "another", fields: listed(method, scheme, authority, path, framed.F("host", "other.example"), mark)},
		attack{name: "another as authority", fields: listed(method, scheme, framed.F(":authority", "other.example"), path, framed.F("host", "{host}"), mark)},
		attack{name: "two of host", fields: listed(method, scheme, path, framed.F("host", "{host}"), framed.F("host", "other.example"), mark)},
	),
}
