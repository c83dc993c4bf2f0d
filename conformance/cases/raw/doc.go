// Package raw owns exchanges byte by byte: a client that sends what it is told
// and not what HTTP allows, and a backend that a case plays, which keeps every
// byte that arrives and answers with the bytes it is told.
//
// What arrived is read by the letter of RFC 9112: bytes of which two readers may
// see different requests are no request but a doubt. Every request that a client
// sends is an Op, every one that arrives an Arrival. Nothing here judges.
//
// A Conn belongs to one goroutine; a Backend is safe for concurrent use.
package raw
