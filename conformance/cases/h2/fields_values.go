package h2

import (
	"errors"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that writes values into a request of HTTP/1.1 as they come: HTTP/2
// counts bytes and lets a value hold an end of line, and what is behind it becomes a
// field, or a request of its own.
var fieldsValues = spec.Case{
	ID: "H2-FIELDS-VALUES", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "A request of HTTP/2 with an end of line or a NUL in a value, or with a method, path or authority that HTTP/1.1 could not say, is refused and does not arrive.",
	Refs:   []string{"RFC 9113 8.2.1", "RFC 9113 8.3.1", "RFC 9113 10.3"},
	Played: 1,
	Run: strict(
		attack{name: "a tab and a high byte", fields: plain(framed.F("x-name", "a\tb\xff")), accept: true, also: arrives("X-Name", "a\tb\xff")},
		attack{name: "an end of line", fields: plain(framed.F("x-name", "1\r\nx-more: 1"))},
		attack{name: "a request", fields: plain(framed.F("x-name", "1\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x"))},
		attack{name: "a CR", fields: plain(framed.F("x-name", "1\r2"))},
		attack{name: "a LF", fields: plain(framed.F("x-name", "1\ntransfer-encoding: chunked"))},
		attack{name: "a NUL", fields: plain(framed.F("x-name", "1\x002"))},
		attack{name: "a method with a blank", fields: with(":method", "GET /smuggled")},
		attack{name: "a method with an end of line", fields: with(":method", "GET / HTTP/1.1\r\nhost: x\r\nx: ")},
		attack{name: "an empty method", fields: with(":method", "")},
		attack{name: "a path with a blank", fields: with(":path", "/attack HTTP/1.1")},
		attack{name: "a path with an end of line", fields: with(":path", "/attack HTTP/1.1\r\nx: y")},
		attack{name: "a path with a NUL", fields: with(":path", "/attack\x00")},
		attack{name: "an authority with an end of line", fields: with(":authority", "{host}\r\nx: y")},
		attack{name: "an authority with a blank", fields: with(":authority", "{host} x")},
	),
}

// arrives wants one line of a name with the value.
func arrives(name, value string) func(string, raw.Request) error {
	return func(_ string, r raw.Request) error {
		if vs := r.Fields.Values(name); len(vs) != 1 || vs[0] != value {
			return errors.New("it arrived without its " + name)
		}
		return nil
	}
}
