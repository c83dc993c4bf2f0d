// Package h1 owns the messages of HTTP/1.0 and 1.1 as bytes: it finds the end of
// a head (Scan), reads heads into an exchange's request and answer (ParseRequest,
// ParseAnswer), follows bodies while they pass (Body) and writes heads and chunks
// (AppendRequest, AppendAnswer, AppendChunkHead).
//
// It is strict: of a message that two readers may understand in two ways it
// accepts neither. Every refusal has a Reason of a closed list. Whatever it
// accepts, net/http accepts and frames alike; the fuzz tests hold it to that.
//
// Strings that come out of a parser are views into the bytes that went in, and
// die with them. Nothing is allocated for a message that is accepted, once the
// slices of its exchange have grown; trailers take a buffer of their own the
// first time they come.
//
// It never reads or writes a connection, keeps a clock, decides what is
// answered, or imports net/http. Functions are safe for concurrent use; a Scan
// and a Body belong to one goroutine at a time.
package h1
