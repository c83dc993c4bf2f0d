package h1

import (
	"errors"
	"strconv"
)

// Reason says why a message was refused. The list is closed: a reason is a label
// of metrics and a word of the log.
type Reason uint8

// The reasons. Those without a further word are answered 400 on the client's
// side and become 502 on the upstream's.
const (
	NoReason              Reason = iota
	ReasonNotHTTP                // the first bytes begin no message: a TLS hello, another protocol
	ReasonHead                   // what was to be parsed is not exactly one head
	ReasonRequestLine            // not method, target and version with single blanks between
	ReasonMethod                 // no token, or longer than MaxMethod
	ReasonTarget                 // of no form that the method allows, or with bytes no target has
	ReasonPath                   // a broken escape, an encoded NUL, ".." above the root
	ReasonVersion                // another version than HTTP/1.0 and 1.1: 505
	ReasonStatusLine             // not version, a status of three digits and a phrase
	ReasonBareLF                 // LF without CR before it
	ReasonBareCR                 // CR without LF behind it
	ReasonControl                // a control byte in a value
	ReasonName                   // a field without a name, or whose name is no token
	ReasonSpaceColon             // white space before the colon of a field
	ReasonNoColon                // a line of the head that is no field
	ReasonFold                   // a line that begins with white space
	ReasonHeadTooLong            // longer than the limit: 431
	ReasonTargetTooLong          // the first line alone is: 414
	ReasonTooManyFields          // more than MaxFields lines: 431
	ReasonHostMissing            // HTTP/1.1 without Host
	ReasonHostRepeated           // two lines Host
	ReasonHost                   // Host, or the authority of the target, is no host
	ReasonLength                 // a Content-Length that is no number, or beyond MaxLength
	ReasonLengthRepeated         // two lines Content-Length
	ReasonLengthAndCoding        // both Content-Length and Transfer-Encoding
	ReasonCoding                 // a transfer coding other than chunked: 501
	ReasonCodingRepeated         // two lines Transfer-Encoding
	ReasonCodingVersion          // Transfer-Encoding in HTTP/1.0
	ReasonConnection             // Connection names Host, or a field that frames the body
	ReasonTrailer                // Trailer names a field that frames, routes or authorises
	ReasonChunkSize              // not 1 to 15 hexadecimal digits
	ReasonChunkLine              // a malformed extension, or no CRLF behind it
	ReasonChunkEnd               // the data of a chunk are not followed by CRLF
	ReasonChunkOverhead          // far more framing than data
	ReasonTrailersTooLong        // more than MaxTrailers lines, or MaxTrailerBytes
	ReasonCut                    // the connection ended within the body
	lastReason
)

var reasonNames = [lastReason]string{"none", "not_http", "head", "request_line", "method", "target", "path", "version", "status_line",
	"bare_lf", "bare_cr", "control_byte", "field_name", "space_before_colon", "no_colon", "fold", "head_too_long", "target_too_long", "too_many_fields",
	"host_missing", "host_repeated", "host", "length", "length_repeated", "length_and_coding", "coding", "coding_repeated",
	"coding_version", "connection", "trailer", "chunk_size", "chunk_line", "chunk_end", "chunk_overhead", "trailers_too_long", "cut"}

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

// Status returns what a client is answered whose request was refused so: 400
// where the request is malformed, as RFC 9110 and 6585 say otherwise.
func (r Reason) Status() int {
	switch r {
	case ReasonHeadTooLong, ReasonTooManyFields:
		return 431
	case ReasonTargetTooLong:
		return 414
	case ReasonVersion:
		return 505
	case ReasonCoding:
		return 501
	}
	return 400
}

// Malformed is the error of every refusal of this package, always as a value.
type Malformed struct {
	Reason Reason
	// Line of the head, from 1; 0: the message as a whole, or its body.
	Line int
}

// Error says the reason, and the line where there is one.
func (m Malformed) Error() string {
	if m.Line == 0 {
		return "malformed message: " + m.Reason.String()
	}
	return "malformed message: " + m.Reason.String() + " in line " + strconv.Itoa(m.Line)
}

// ReasonOf returns the reason of a refusal; NoReason for any other error.
func ReasonOf(err error) Reason {
	var m Malformed
	if errors.As(err, &m) {
		return m.Reason
	}
	return NoReason
}
