package h2

import (
	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that writes the crumbs of a cookie as lines of their own: servers
// of HTTP/1.1 read the first, and users are logged out.
var cookies = spec.Case{
	ID: "H2-COOKIES", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "A cookie that comes over HTTP/2 in several fields arrives in one, joined by a semicolon and a blank in the same order.",
	Refs:   []string{"RFC 9113 8.2.3"},
	Played: 1,
	Run: strict(
		attack{name: "one", fields: plain(framed.F("cookie", "a=1; b=2")), accept: true, also: arrives("Cookie", "a=1; b=2")},
		attack{name: "three", fields: plain(framed.F("cookie", "a=1"), framed.F("cookie", "b=2; c=3"), framed.F("cookie", "d=4")), accept: true, also: arrives("Cookie", "a=1; b=2; c=3; d=4")},
		attack{name: "with others between", fields: plain(framed.F("cookie", "a=1"), framed.F("x-name", "1"), framed.F("cookie", "b=2")), accept: true, also: arrives("Cookie", "a=1; b=2")},
	),
}
