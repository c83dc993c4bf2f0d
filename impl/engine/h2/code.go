package h2

import (
	"errors"
	"strconv"
)

// Code is an error code of RST_STREAM and GOAWAY (RFC 9113, 7).
type Code uint32

// The error codes.
const (
	NoError            Code = 0x0
	ProtocolError      Code = 0x1
	InternalError      Code = 0x2
	FlowControlError   Code = 0x3
	SettingsTimeout    Code = 0x4
	StreamClosed       Code = 0x5
	FrameSizeError     Code = 0x6
	RefusedStream      Code = 0x7
	Cancel             Code = 0x8
	CompressionError   Code = 0x9
	ConnectError       Code = 0xa
	EnhanceYourCalm    Code = 0xb
	InadequateSecurity Code = 0xc
	HTTP11Required     Code = 0xd
)

var codeNames = [...]string{"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
	"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"}

// String returns the name of the code, or its number when it has none.
func (c Code) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return "code " + strconv.FormatUint(uint64(c), 10)
}

// Error is why a stream or a connection has ended before its time.
type Error struct {
	Reason Reason
	// Code that was sent, or came in an RST_STREAM (ReasonPeer) or a GOAWAY (ReasonLeft).
	Code Code
}

// Untouched tells that the target has done nothing for the request: it may be sent
// again, whatever its method (RFC 9113, 8.7).
func (e Error) Untouched() bool {
	return e.Reason == ReasonLeft || e.Reason == ReasonPeer && e.Code == RefusedStream
}

// ReasonOf returns the reason of an error of Feed; NoReason for any other error.
func ReasonOf(err error) Reason { return errorOf(err).Reason }

func errorOf(err error) Error {
	var e Error
	_ = errors.As(err, &e) // the zero value for others
	return e
}

// Error says reason and code.
func (e Error) Error() string { return "HTTP/2: " + e.Reason.String() + " (" + e.Code.String() + ")" }
