// Package h2 owns the server's side of HTTP/2 connections (RFC 9113) as a machine of
// states: bytes of a client go in (Conn.Feed), frames for it come out (Output), and
// what they mean is told to an Owner: heads of requests, parts of bodies, trailers,
// resets, room to send. Answers are written by the methods of a Stream.
//
// It keeps the rules that keep a server alive: flow control in both directions, by
// what the owner has used up and what the client allows; limits of streams, header
// lists and header blocks; budgets of frames that bring nothing forward and of
// requests that are given up. It is as strict about requests as package h1, fills an
// exchange's request in the same way, and refuses with a Reason of a closed list.
//
// # Views
//
// A body's part is a view into the bytes that were fed, and dies when Owner.Data
// returns. A request is stable from the start: its strings live in its exchange's
// arena or in the tables of header compression, and nothing of it is a view. Trailers
// die when Owner.Trailers returns. Nothing is allocated for a request once slices have
// grown, except for fields that the client wants remembered in the table of header
// compression.
//
// # What it never does
//
// It never reads or writes a connection, keeps a clock, starts a goroutine, decides
// what is answered, or imports net/http. A Server and its connections belong to one
// goroutine at a time.
package h2
