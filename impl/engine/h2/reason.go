package h2

import "github.com/unilb/unilb/impl/engine/h1"

// Reason says why a request, a stream or a connection was given up. The list is
// closed: a reason is a label of metrics and a word of the log.
type Reason uint8

// The reasons that end a connection.
const (
	NoReason          Reason = iota
	ReasonPreface            // the first bytes are not the preface and SETTINGS
	ReasonFrameSize          // a frame that is too long, or not as long as its type wants
	ReasonPadding            // more padding than payload
	ReasonStreamID           // a frame on a stream where it cannot be
	ReasonClosed             // a frame on a stream whose side has ended (also of a stream)
	ReasonSequence           // a header block that is interrupted, or CONTINUATION without one
	ReasonCompression        // a header block that does not decode
	ReasonSettings           // a value that a setting cannot have
	ReasonWindow             // more data than the window allows, or a window beyond 2^31-1 (also of a stream)
	ReasonIncrement          // a WINDOW_UPDATE by nothing (also of a stream)
	ReasonPush               // a push, which nobody has asked for
	ReasonBlock              // a header block beyond its limit, or in too many pieces
	ReasonFlood              // too many frames that bring nothing forward
	ReasonResets             // too many requests that are given up
	ReasonUnread             // answers to control frames are not read

	// The reasons that end a stream.

	ReasonPeer           // the other side has reset it
	ReasonCut            // its connection has ended
	ReasonStreams        // more streams than are allowed
	ReasonDependency     // a stream that depends on itself
	ReasonUpperCase      // a name with capital letters
	ReasonName           // a field without a name, or whose name is no token
	ReasonControl        // a control byte in a value
	ReasonBlank          // a value that begins or ends with white space
	ReasonConnection     // a field that belongs to connections of HTTP/1.1
	ReasonTE             // TE other than trailers
	ReasonPseudo         // an unknown pseudo field, or one that does not belong there
	ReasonPseudoRepeated // a pseudo field comes twice
	ReasonPseudoOrder    // a pseudo field behind others
	ReasonPseudoMissing  // :method, :scheme or :path is missing
	ReasonMethod         // no token, or longer than h1.MaxMethod
	ReasonScheme         // neither http nor https
	ReasonTarget         // :path is of no form that the method allows, or has bytes no target has
	ReasonPath           // a broken escape, an encoded NUL, ".." above the root: 400
	ReasonHost           // :authority or Host is no host
	ReasonHostMissing    // neither :authority nor Host
	ReasonHostRepeated   // two fields Host
	ReasonHostDiffers    // Host is not what :authority is
	ReasonLength         // a Content-Length that is no number, or beyond h1.MaxLength
	ReasonLengthRepeated // two fields Content-Length
	ReasonLengthDiffers  // the body is not as long as Content-Length says
	ReasonTrailer        // Trailer names a field that frames, routes or authorises
	ReasonHeadTooLong    // the header list is beyond the limit: 431
	ReasonTooManyFields  // more than h1.MaxFields: 431
	ReasonTrailers       // a second head that does not end the stream
	ReasonTrailersLong   // trailers beyond h1.MaxTrailers or h1.MaxTrailerBytes
	ReasonStatus         // of an answer: :status is no number of three digits, or 101
	ReasonHeadMissing    // of an answer: a body, or the end, before its head
	ReasonLeft           // the target has left, and not looked at the request
	lastReason
)

var reasonNames = [lastReason]string{"none", "preface", "frame_size", "padding", "stream_id", "stream_closed", "sequence", "compression", "settings", "window", "increment",
	"push", "header_block", "flood", "rapid_reset", "unread", "peer_reset", "cut", "too_many_streams", "dependency", "upper_case", "field_name", "control_byte", "blank",
	"connection", "te", "pseudo", "pseudo_repeated", "pseudo_order", "pseudo_missing", "method", "scheme", "target", "path", "host", "host_missing", "host_repeated",
	"host_differs", "length", "length_repeated", "length_differs", "trailer", "head_too_long", "too_many_fields", "trailers_open", "trailers_too_long", "status", "head_missing", "left"}

// Reasons is how many there are, NoReason included: the size of a table of
// counters indexed by Reason.
const Reasons = int(lastReason)

// String returns a word for logs and labels of metrics.
func (r Reason) String() string {
	if r < lastReason {
		return reasonNames[r]
	}
	return "unknown"
}

// Code returns the error code that tells the other side of it.
func (r Reason) Code() Code {
	switch r {
	case NoReason:
		return NoError
	case ReasonFrameSize:
		return FrameSizeError
	case ReasonClosed:
		return StreamClosed
	case ReasonCompression:
		return CompressionError
	case ReasonWindow:
		return FlowControlError
	case ReasonBlock, ReasonFlood, ReasonResets, ReasonUnread:
		return EnhanceYourCalm
	case ReasonPeer, ReasonCut:
		return Cancel
	case ReasonStreams, ReasonLeft:
		return RefusedStream
	}
	return ProtocolError
}

// Status returns what a request that was refused so may be answered; 0: it is
// malformed, and its stream is reset.
func (r Reason) Status() int {
	switch r {
	case ReasonHeadTooLong, ReasonTooManyFields:
		return 431
	case ReasonPath:
		return 400
	}
	return 0
}

// reasonOf is what a reason of HTTP/1.1 is called here.
func reasonOf(r h1.Reason) Reason {
	switch r {
	case h1.NoReason:
		return NoReason
	case h1.ReasonPath:
		return ReasonPath
	case h1.ReasonHost:
		return ReasonHost
	}
	return ReasonTarget
}
