package h2

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that goes on working for requests that were given up: whoever
// types in a search field gives up a request with every letter.
var clientReset = spec.Case{
	ID: "H2-CLIENT-RESET", Level: spec.Should, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "When a client resets a stream while the backend is still at work the gateway ends the request there within 5 s, and serves the other streams of the connection.",
	Refs:   []string{"RFC 9113 5.4.2", "RFC 9113 8.7", "APISIX 3.18 proxy_ignore_client_abort off, the default of nginx"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		const bound = 5 * time.Second
		begun, ended := make(chan struct{}), make(chan struct{})
		var first, last sync.Once // a gateway may ask again
		place(ctx, t, func(b *raw.Backend, r raw.Request) raw.Answer {
			if pathOf(r) != attacked {
				return b.Echo(r)
			}
			return raw.Answer{Then: func(c net.Conn, _ []byte) {
				first.Do(func() { close(begun) })
				_, _ = io.Copy(io.Discard, c) // returns when the connection ends
				last.Do(func() { close(ended) })
			}}
		})
		c := dial(ctx, t, framed.Options{})
		s := c.Send(get(t, attacked), true)
		alarm := time.NewTimer(framed.Patience)
		defer alarm.Stop()
		select {
		case <-begun:
		case <-alarm.C:
			t.Fatalf("%s: the request does not arrive (op %s)", gateway(t).Ref, s.ID())
		}
		s.Reset()
		own(t, c.Send(get(t, after), true).Answer(ctx), after, "behind a reset")
		alarm.Reset(bound)
		select {
		case <-ended:
		case <-alarm.C:
			t.Check(false, "%s: the backend still had its connection %s after the client had reset the stream (op %s)", gateway(t).Ref, bound, s.ID())
		}
		correct(t, c)
	},
}
