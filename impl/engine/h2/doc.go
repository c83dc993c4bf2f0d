// Package h2 owns HTTP/2 connections (RFC 9113), of either side, as machines of states:
// bytes of the other side go in (Conn.Feed), frames for it come out (Output), and what
// they mean is told to an Owner, of a server, or an Asker, of a client: heads, parts of
// bodies, trailers, resets, room to send. Messages are written by the methods of a
// Stream; those of a client begin with Conn.Request. Everything but heads is the same
// for both.
//
// It keeps the rules that keep a gateway alive: flow control in both directions, by
// what the owner has used up and what the other side allows; limits of streams, header
// lists and header blocks; budgets of frames that bring nothing forward and of
// requests that are given up. It is as strict about heads as package h1, fills an
// exchange's request and response in the same way, and refuses with a Reason of a closed
// list.
//
// # Views
//
// A body's part is a view into the bytes that were fed, and dies when Receiver.Data
// returns. A request is stable from the start: its strings live in its exchange's
// arena or in the tables of header compression, and nothing of it is a view. The head of
// an answer dies when Asker.Answer or Interim returns, trailers when Receiver.Trailers
// returns. Nothing is allocated for a request once slices have grown, except for fields
// that the other side wants remembered in the table of header compression.
//
// # What it never does
//
// It never reads or writes a connection, keeps a clock, starts a goroutine, decides
// what is asked or answered, or imports net/http. A Server or a Client and its
// connections belong to one goroutine at a time.
package h2
