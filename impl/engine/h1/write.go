package h1

import (
	"strconv"

	"github.com/unilb/unilb/impl/exchange"
)

// OutFraming says how a message that we write ends. The zero value is a message
// with a body of 0 bytes.
type OutFraming struct {
	// Length of the body in bytes; Chunked; or None: write no framing field. An
	// answer with None and a body ends with its connection, so it needs Close.
	Length int64
	// Close announces that the connection ends after this message.
	Close bool
	// Trailer announces the names of trailers, of messages in chunks.
	Trailer exchange.Fields
	// Date is the value of the field of that name where the fields have none; "":
	// write none. For answers.
	Date string
}

// RequestFraming is how the body of r goes to an upstream: as it came, and a request
// without one says so where its method lets servers expect one (RFC 9110 8.6).
func RequestFraming(r *exchange.Request) OutFraming {
	switch {
	case r.BodyLength < 0:
		return OutFraming{Length: Chunked}
	case r.BodyLength > 0:
		return OutFraming{Length: r.BodyLength}
	}
	switch r.Method {
	case "POST", "PUT", "PATCH":
		return OutFraming{}
	}
	return OutFraming{Length: None}
}

// AppendRequest appends the head of the upstream request of x to dst: method and
// Target in HTTP/1.1, Host from the plan, the fields with the edits applied as
// exchange.Apply does, and framing. Host, the framing fields, Connection,
// Keep-Alive, Proxy-Connection and Upgrade are the engine's, whatever fields and
// edits say; Upgrade is written when the plan lets the request upgrade.
//
// Fields are trusted to come from a parser. Edits, Target and Host are not: what
// would end a line becomes a blank, or an escape in the target. It does not allocate
// when dst has room.
func AppendRequest(dst []byte, x *exchange.Exchange, f OutFraming) []byte {
	r := &x.Request
	dst = append(dst, r.Method...)
	dst = append(dst, ' ')
	dst = AppendTarget(dst, r.Target)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = appendValue(dst, x.Plan.Host)
	dst = append(dst, "\r\n"...)
	w := writer{b: dst, own: ownOfRequest, known: marksOfRequest}
	w.fields(r.Fields, x.RequestEdits)
	w.framing(f)
	upgrade := x.Plan.Upgrade && r.Upgrade != ""
	if upgrade {
		w.field("Upgrade", r.Upgrade)
	}
	w.connection(upgrade, f.Close)
	return append(w.b, "\r\n"...)
}

// AppendAnswer appends the head of an answer to dst. proto is the version of the
// request: HTTP/1.0 is told when the connection is kept, and never gets chunks (a
// body of unknown length ends with the connection, so Close is implied). The fields
// are written as by AppendRequest, except that they may hold Upgrade. 1xx have
// neither framing nor Connection of ours, and 101 passes with those it came with;
// 204 has no framing and 304 no chunks.
func AppendAnswer(dst []byte, proto exchange.Proto, status int, fields exchange.Fields, edits exchange.Edits, f OutFraming) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, Phrase(status)...)
	dst = append(dst, "\r\n"...)
	w := writer{b: dst, own: ownOfAnswer, known: marksOfAnswer}
	if status < 200 {
		if status == 101 {
			w.own = frames // Connection and Upgrade are part of the handshake
		}
		w.fields(fields, edits)
		return append(w.b, "\r\n"...)
	}
	w.fields(fields, edits)
	switch {
	case f.Length == Chunked && !BodyFollows(status), status == 204:
		f.Length = None
	case f.Length == Chunked && proto == exchange.HTTP10:
		f.Length, f.Close = None, true
	}
	w.framing(f)
	if f.Date != "" && !w.dated {
		w.field("Date", f.Date)
	}
	switch {
	case f.Close:
		w.b = append(w.b, "Connection: close\r\n"...)
	case proto == exchange.HTTP10:
		w.b = append(w.b, "Connection: keep-alive\r\n"...)
	}
	return append(w.b, "\r\n"...)
}

// ownOfRequest tells the fields of a request that the engine writes itself.
func ownOfRequest(name string) bool {
	switch len(name) {
	case len("Host"):
		return exchange.EqualFold(name, "Host")
	case len("Upgrade"): // and Trailer
		return exchange.EqualFold(name, "Upgrade") || exchange.EqualFold(name, "Trailer")
	}
	return ownOfAnswer(name)
}

// ownOfAnswer tells those of an answer.
func ownOfAnswer(name string) bool {
	switch len(name) {
	case len("Trailer"):
		return exchange.EqualFold(name, "Trailer")
	case len("Connection"): // and Keep-Alive
		return exchange.EqualFold(name, "Connection") || exchange.EqualFold(name, "Keep-Alive")
	case len("Content-Length"):
		return exchange.EqualFold(name, "Content-Length")
	case len("Proxy-Connection"):
		return exchange.EqualFold(name, "Proxy-Connection")
	case len("Transfer-Encoding"):
		return exchange.EqualFold(name, "Transfer-Encoding")
	}
	return false
}

var (
	marksOfAnswer = marksOf("Trailer", "Connection", "Keep-Alive", "Content-Length", "Proxy-Connection", "Transfer-Encoding", "Date")
	// and those of requests, of which TE is noted
	marksOfRequest = marksOfAnswer | marksOf("Host", "Upgrade", "TE")
)

// AppendChunkHead appends what stands before the data of a chunk. size is in bytes
// and not 0, which would end the body. Behind the data goes ChunkTail.
func AppendChunkHead(dst []byte, size int) []byte {
	dst = strconv.AppendUint(dst, uint64(size), 16)
	return append(dst, "\r\n"...)
}

// ChunkTail stands behind the data of a chunk.
const ChunkTail = "\r\n"

// AppendChunkEnd appends the last chunk and the trailers, without those that are
// never passed on (see Body.Trailers).
func AppendChunkEnd(dst []byte, trailers exchange.Fields) []byte {
	w := writer{b: append(dst, "0\r\n"...)}
	for _, t := range trailers {
		if IsToken(t.Name) && !DropTrailer(t.Name) {
			w.clean(t.Name, t.Value)
		}
	}
	return append(w.b, "\r\n"...)
}
