package h2

import "encoding/binary"

// Preface is what a client sends first.
const Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// HasPreface tells whether b, the first bytes of a connection, may begin the preface,
// and whether all of it is there: a listener of both versions asks it before it takes
// them for HTTP/1.1.
func HasPreface(b []byte) (may, whole bool) {
	n := min(len(b), len(Preface))
	return string(b[:n]) == Preface[:n], n == len(Preface)
}

// kind is the type of a frame.
type kind uint8

const (
	kindData         kind = 0x0
	kindHeaders      kind = 0x1
	kindPriority     kind = 0x2
	kindReset        kind = 0x3
	kindSettings     kind = 0x4
	kindPush         kind = 0x5
	kindPing         kind = 0x6
	kindGoAway       kind = 0x7
	kindWindowUpdate kind = 0x8
	kindContinuation kind = 0x9
)

// Flags of frames.
const (
	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

const (
	headerSize = 9         // of a frame, in bytes
	frameSize  = 16 << 10  // the largest payload that either side sends
	maxID      = 1<<31 - 1 // of streams
	maxWindow  = 1<<31 - 1 // of flow control, in bytes
	baseWindow = 65535     // what windows are before anybody has said something else
)

// A header stands before each frame's payload.
type header struct {
	length int // of the payload
	kind   kind
	flags  uint8
	stream uint32
}

func (h header) has(flag uint8) bool { return h.flags&flag != 0 }

// readHeader reads the first headerSize bytes of b.
func readHeader(b []byte) header {
	_ = b[headerSize-1]
	return header{int(b[0])<<16 | int(b[1])<<8 | int(b[2]), kind(b[3]), b[4], binary.BigEndian.Uint32(b[5:]) & maxID}
}

func appendHeader(dst []byte, length int, k kind, flags uint8, stream uint32) []byte {
	return append(dst, byte(length>>16), byte(length>>8), byte(length), byte(k), flags,
		byte(stream>>24), byte(stream>>16), byte(stream>>8), byte(stream))
}

func appendReset(dst []byte, stream uint32, code Code) []byte {
	return binary.BigEndian.AppendUint32(appendHeader(dst, 4, kindReset, 0, stream), uint32(code))
}

func appendPing(dst []byte, flags uint8, payload [8]byte) []byte {
	return append(appendHeader(dst, 8, kindPing, flags, 0), payload[:]...)
}

func appendWindowUpdate(dst []byte, stream uint32, by int) []byte {
	return binary.BigEndian.AppendUint32(appendHeader(dst, 4, kindWindowUpdate, 0, stream), uint32(by))
}

func appendGoAway(dst []byte, last uint32, code Code, why string) []byte {
	dst = appendHeader(dst, 8+len(why), kindGoAway, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, last)
	dst = binary.BigEndian.AppendUint32(dst, uint32(code))
	return append(dst, why...)
}

// endBlock completes the frames of a header block, which begins at dst[at:] with room
// for a frame's header: a block that is too long for one frame goes on in
// CONTINUATION.
func endBlock(dst []byte, at int, stream uint32, flags uint8) []byte {
	size := len(dst) - at - headerSize
	if size <= frameSize {
		appendHeader(dst[:at], size, kindHeaders, flags|flagEndHeaders, stream)
		return dst
	}
	appendHeader(dst[:at], frameSize, kindHeaders, flags, stream)
	rest := append([]byte(nil), dst[at+headerSize+frameSize:]...) // rare
	dst = dst[:at+headerSize+frameSize]
	for len(rest) > 0 {
		n := min(len(rest), frameSize)
		last := uint8(0)
		if n == len(rest) {
			last = flagEndHeaders
		}
		dst = append(appendHeader(dst, n, kindContinuation, last, stream), rest[:n]...)
		rest = rest[n:]
	}
	return dst
}
