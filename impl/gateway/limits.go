package gateway

import "time"

// Limits of what a client may do. Zero fields are the defaults of who keeps them.
type Limits struct {
	// HeadTimeout bounds the time for a whole head, IdleTimeout that between requests,
	// BodyTimeout that between two pieces of a body in either direction. HalfClose is how
	// long a client of HTTP/1.1 that has shut down its side may be sent nothing.
	HeadTimeout, IdleTimeout, BodyTimeout, HalfClose time.Duration
	// MinBodyRate is in bytes a second; below zero: any. EngineStd does not ask for it.
	MinBodyRate int64
	// MaxBody and MaxHead are bytes of a request's body, of which there is no bound by default, and head.
	MaxBody int64
	MaxHead int
	// MaxConns is how many connections of clients there may be.
	MaxConns int
	// MatchBody is bytes of a body that conditions of routes ask for, MatchBodies of all
	// that are held for them; zero: as proxy.Bodies has it.
	MatchBody   int
	MatchBodies int64
}
