package tls

import (
	"context"
	"fmt"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that expects the first message of a handshake in a small
// buffer. Clients with keys for post-quantum algorithms send several kilobytes.
var tlsHelloLarge = spec.Case{
	ID: "TLS-HELLO-LARGE", Level: spec.Should, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A handshake whose first message is 8 KiB long gets the certificate of its name.",
	Refs:     []string{"RFC 8446 4: a message may have 2^24-1 bytes"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, p := oneName(ctx, t, false)
		c := client(name)
		for i := range 40 { // protocols that nobody speaks, to make it long
			c.NextProtos = append(c.NextProtos, fmt.Sprintf("%02d-%s", i, strings.Repeat("x", 200)))
		}
		c.NextProtos = append(c.NextProtos, "http/1.1")
		t.Logf("the hello has %d bytes", len(helloOf(t, c)))
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, c, name).served(t, p, t.Backend(0), "a long hello")
		}
	},
}
