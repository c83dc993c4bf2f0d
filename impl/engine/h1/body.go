package h1

import "github.com/unilb/unilb/impl/exchange"

// Body follows a body while it passes: it says which bytes are payload and where
// the message ends. The zero value is a message without a body. A Body may be
// begun again for the next message; only trailers make it allocate, once.
type Body struct {
	step   step
	left   int64 // payload of the message, or of the chunk, that is still to come
	digits int   // of a chunk size so far
	line   int   // bytes of a chunk line so far
	excess int64 // bytes of framing beyond what the data excuse
	tail   trailers
}

// step is where in a body the next byte is.
type step uint8

const (
	atEnd step = iota // behind the message
	inPlain
	inUnbounded // until the connection closes
	inSize      // the digits of a chunk size, and on to the end of its line: see chunk.go
	inExtBlank
	inExtName
	inExtNameBegin
	inExtNameBlank
	inExtValueBegin
	inExtValue
	inExtQuoted
	inExtEscape
	inExtEnd
	inLineEnd
	inData
	inDataCR
	inDataLF
	inTrailers
)

// Begin starts a body of so many bytes, Chunked or UntilClose.
func (d *Body) Begin(length int64) {
	*d = Body{tail: d.tail}
	d.tail.reset()
	switch {
	case length == Chunked:
		d.step = inSize
	case length == UntilClose:
		d.step = inUnbounded
	case length > 0:
		d.step, d.left = inPlain, length
	}
}

// Next takes the next bytes of the connection. n of them belong to the message
// and are used up; data is the payload among them, a view into b, perhaps empty.
// done: the message is over, with its trailers if it has any; bytes behind it are
// left alone. A body in chunks may need several calls for one b: go on with b[n:]
// while n > 0. After an error nothing that follows on the connection has a
// meaning; data that came with it are still payload.
func (d *Body) Next(b []byte) (data []byte, n int, done bool, err error) {
	switch d.step {
	case atEnd:
		return nil, 0, true, nil
	case inPlain:
		n = int(min(d.left, int64(len(b))))
		if d.left -= int64(n); d.left == 0 {
			d.step = atEnd
		}
		return b[:n], n, d.step == atEnd, nil
	case inUnbounded:
		return b, len(b), false, nil
	}
	return d.nextChunk(b)
}

// Left is how many bytes of payload are still to come when a length was given, and
// 0 behind the end; else -1. Left bytes may be moved past the Body (by splice): tell
// it by Skip.
func (d *Body) Left() int64 {
	switch d.step {
	case atEnd:
		return 0
	case inPlain:
		return d.left
	}
	return -1
}

// Skip says that n bytes of payload, at most Left, went another way. It returns
// true when the message is over.
func (d *Body) Skip(n int64) (done bool) {
	if d.step == inPlain {
		if d.left -= min(n, d.left); d.left == 0 {
			d.step = atEnd
		}
	}
	return d.step == atEnd
}

// Closed says that the connection has ended: nil when that is a proper end of the
// message, ReasonCut when it is not.
func (d *Body) Closed() error {
	switch d.step {
	case atEnd:
		return nil
	case inUnbounded:
		d.step = atEnd
		return nil
	}
	return Malformed{ReasonCut, 0}
}

// Trailers are the fields behind the last chunk, after done and until the next
// Begin. Those that would say something about framing, routing, rights or the
// connection are left out (RFC 9110 6.5.1): see DropTrailer.
func (d *Body) Trailers() exchange.Fields { return d.tail.fields }
