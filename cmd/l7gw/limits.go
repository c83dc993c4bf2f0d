package main

import (
	"flag"
	"fmt"
	"time"

	"github.com/unilb/unilb/impl/gateway"
	"github.com/unilb/unilb/impl/proxy"
)

// limitFlags are those of what a client may do.
func limitFlags(f *flag.FlagSet, l *gateway.Limits) {
	const minute = time.Minute
	f.DurationVar(&l.HeadTimeout, "client-head-timeout", minute, "time for the whole head of a request, with the handshake of TLS before the first")
	f.DurationVar(&l.IdleTimeout, "client-idle-timeout", minute, "time between two requests of a connection")
	f.DurationVar(&l.BodyTimeout, "client-body-timeout", minute, "time between two pieces of a request's body, and of an answer that a client takes")
	f.DurationVar(&l.HalfClose, "client-half-close", 2*time.Second, "how long a client of HTTP/1.1 that has shut down its side may be sent nothing before it is taken for gone")
	f.Int64Var(&l.MinBodyRate, "client-min-rate", 240, "bytes a second at which a client must send a body on the whole, and take one over HTTP/2; -1: any; the engine std does not ask")
	f.Int64Var(&l.MaxBody, "client-max-body", 0, "bytes of a request's body, more are answered 413; 0: any")
	f.IntVar(&l.MaxHead, "client-max-head", 64<<10, "bytes of the head of a request")
	f.IntVar(&l.MaxConns, "client-max-conns", 100_000, "connections of clients, further ones are closed at once")
	f.IntVar(&l.MatchBody, "match-body", proxy.DefaultMaxBody, "bytes of a request's body that conditions of routes ask for (post_arg, graphql), more are answered 413; a megabyte takes some 20 ms of an event loop to read")
	f.Int64Var(&l.MatchBodies, "match-bodies", proxy.DefaultBodies, "bytes of bodies that have come and are held for conditions at once, a request with more is answered 503")
}

// checkLimits names the first that makes no sense.
func checkLimits(l *gateway.Limits) error {
	for _, d := range []struct {
		name string
		v    time.Duration
	}{{"head-timeout", l.HeadTimeout}, {"idle-timeout", l.IdleTimeout}, {"body-timeout", l.BodyTimeout}, {"half-close", l.HalfClose}} {
		if d.v < time.Millisecond || d.v > 24*time.Hour {
			return fmt.Errorf("--client-%s %v: want 1ms to 24h", d.name, d.v)
		}
	}
	for _, n := range []struct {
		name        string
		v, from, to int64
	}{
		{"min-rate", l.MinBodyRate, -1, 1 << 30}, {"max-body", l.MaxBody, 0, 1 << 50},
		{"max-head", int64(l.MaxHead), 1 << 10, 1 << 20}, {"max-conns", int64(l.MaxConns), 1, 10_000_000},
	} {
		if n.v < n.from || n.v > n.to {
			return fmt.Errorf("--client-%s %d: want %d to %d", n.name, n.v, n.from, n.to)
		}
	}
	const least, most = 1 << 10, 64 << 20
	if l.MatchBody < least || l.MatchBody > most {
		return fmt.Errorf("--match-body %d: want %d to %d", l.MatchBody, least, most)
	}
	if l.MatchBodies < int64(l.MatchBody) {
		return fmt.Errorf("--match-bodies %d: want %d, which --match-body allows one, or more", l.MatchBodies, l.MatchBody)
	}
	return nil
}
