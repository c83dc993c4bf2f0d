package h2

import (
	"fmt"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that sends requests without Host, or with two, to targets which
// speak HTTP/1.1: they answer 400, or take the other one.
var hostSent = spec.Case{
	ID: "H2-HOST-SENT", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "What a client of HTTP/2 says as :authority, or as host without it, arrives as the one Host; a request with neither is refused.",
	Refs:   []string{"RFC 9113 8.3.1", "RFC 9112 3.2"},
	Played: 1,
	Run: strict(
		attack{name: "authority", fields: plain(), accept: true, also: hosted},
		attack{name: "host", fields: listed(method, scheme, path, framed.F("host", "{host}"), mark), accept: true, also: hosted},
		attack{name: "neither", fields: listed(method, scheme, path, mark)},
	),
}

func hosted(host string, r raw.Request) error {
	if got := r.Fields.Get("Host"); got != host { // raw lets no other number of them pass
		return fmt.Errorf("its Host is %q, want %q", got, host)
	}
	return nil
}
