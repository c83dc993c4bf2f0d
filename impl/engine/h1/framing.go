package h1

import "github.com/unilb/unilb/impl/exchange"

// Lengths that are no numbers of bytes.
const (
	Chunked    int64 = -1 // the body comes in chunks
	UntilClose int64 = -2 // the body of an answer ends with its connection
	None       int64 = -3 // of OutFraming: say nothing about a body
)

// MaxLength is the largest Content-Length in bytes that is accepted: 18 digits.
const MaxLength int64 = 1e18 - 1

// Framing is what a head says about its message and connection.
type Framing struct {
	// Length of the body in bytes as it follows on the connection, Chunked or,
	// of answers, UntilClose.
	Length int64
	// ContentLength is what the field says, also where no body follows (HEAD,
	// 304); -1: there is none.
	ContentLength int64
	// Proto is the version of the message: HTTP10 or HTTP11.
	Proto exchange.Proto
	// Close: the connection ends after this message, by its version and
	// Connection, or because the body has no other end.
	Close bool
	// Expect: the client waits for 100 before it sends the body it announces.
	Expect bool
	// OtherExpect: the client expects something else, which may be answered 417.
	OtherExpect bool
	// Upgrade is what Upgrade says when Connection names it in HTTP/1.1; a view.
	Upgrade string
	// Trailer is what Trailer says (the first, if there are several); a view. See
	// TrailerNames.
	Trailer string
}

// heard is what the fields of a head say about the message itself.
type heard struct {
	answer, old bool // an answer; of HTTP/1.0
	bad         Reason

	host                             string
	hosted, sized, coded             bool
	length                           int64
	close, keep, upgrades            bool
	upgrade, trailer                 string
	expect, otherExpect, hasUpgraded bool
}

// hear takes one field and tells whether it belongs to the fields that the
// pipeline sees. What it refuses is in bad.
func (h *heard) hear(name, value string) bool {
	switch len(name) {
	case len("Host"):
		return h.answer || !named(name, "host") || h.hearHost(value)
	case len("Expect"):
		if named(name, "expect") && !h.old {
			one := exchange.EqualFold(value, "100-continue")
			h.expect, h.otherExpect = h.expect || one, h.otherExpect || !one
		}
	case len("Upgrade"):
		if named(name, "trailer") {
			return h.hearTrailer(value)
		}
		if named(name, "upgrade") && !h.hasUpgraded {
			h.upgrade, h.hasUpgraded = value, true
		}
	case len("Connection"):
		if named(name, "connection") {
			h.hearConnection(value)
		}
	case len("Content-Length"):
		return !named(name, "content-length") || h.hearLength(value)
	case len("Transfer-Encoding"):
		return !named(name, "transfer-encoding") || h.hearCoding(value)
	}
	return true
}

// The following refuse by bad, and return false: the field is the engine's.

func (h *heard) hearHost(value string) bool {
	switch {
	case h.hosted:
		h.bad = ReasonHostRepeated
	case !ValidAuthority(value):
		h.bad = ReasonHost
	}
	h.hosted, h.host = true, value
	return false
}

func (h *heard) hearLength(value string) bool {
	n, ok := ParseLength(value)
	switch {
	case h.sized:
		h.bad = ReasonLengthRepeated
	case h.coded:
		h.bad = ReasonLengthAndCoding
	case !ok:
		h.bad = ReasonLength
	}
	h.sized, h.length = true, n
	return false
}

func (h *heard) hearCoding(value string) bool {
	switch {
	case h.coded:
		h.bad = ReasonCodingRepeated
	case h.sized:
		h.bad = ReasonLengthAndCoding
	case h.old:
		h.bad = ReasonCodingVersion
	case !exchange.EqualFold(value, "chunked"):
		h.bad = ReasonCoding
	}
	h.coded = true
	return false
}

func (h *heard) hearTrailer(value string) bool {
	if BadTrailer(value) {
		h.bad = ReasonTrailer
	}
	if h.trailer == "" {
		h.trailer = value
	}
	return false
}

// hearConnection takes the options of a connection.
func (h *heard) hearConnection(value string) {
	if exchange.EqualFold(value, "keep-alive") { // as nearly always
		h.keep = true
		return
	}
	for t := range exchange.Tokens(value) {
		switch {
		case exchange.EqualFold(t, "keep-alive"):
			h.keep = true
		case exchange.EqualFold(t, "close"):
			h.close = true
		case exchange.EqualFold(t, "upgrade"):
			h.upgrades = true
		case forEveryone(t):
			h.bad = ReasonConnection
		}
	}
}

// frames tells the fields that say how long a body is.
func frames(name string) bool {
	return exchange.EqualFold(name, "Content-Length") || exchange.EqualFold(name, "Transfer-Encoding") || exchange.EqualFold(name, "Trailer")
}

// ParseLength reads a Content-Length: 1 to 18 decimal digits, and nothing else.
func ParseLength(s string) (n int64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	return n, true
}

// framing says what was heard, for a message with this length of its body.
func (h *heard) framing(length int64) Framing {
	f := Framing{Length: length, ContentLength: -1, Proto: exchange.HTTP11, Trailer: h.trailer}
	if h.sized {
		f.ContentLength = h.length
	}
	if h.old {
		f.Proto = exchange.HTTP10
	}
	f.Close = h.close || h.old && !h.keep || length == UntilClose
	f.Expect = h.expect && length != 0
	f.OtherExpect = h.otherExpect
	if h.upgrades && !h.old {
		f.Upgrade = h.upgrade
	}
	return f
}
