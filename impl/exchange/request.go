package exchange

import (
	"net/netip"

	"github.com/unilb/unilb/impl/certs"
)

// Proto is the protocol version of the downstream request.
type Proto uint8

// The protocol versions.
const (
	HTTP10 Proto = 10 // HTTP/1.0
	HTTP11 Proto = 11 // HTTP/1.1
	HTTP2  Proto = 20 // HTTP/2
	HTTP3  Proto = 30 // HTTP/3
)

// String returns the version as it stands in a request line.
func (p Proto) String() string {
	switch p {
	case HTTP10:
		return "HTTP/1.0"
	case HTTP11:
		return "HTTP/1.1"
	case HTTP2:
		return "HTTP/2.0"
	case HTTP3:
		return "HTTP/3.0"
	}
	return "HTTP/?"
}

// Request is the head of a request. All strings may be views.
type Request struct {
	Method string
	Scheme string // "http" or "https", of the downstream connection
	// Authority is the Host field, or the authority of an absolute-form
	// target, as it was sent (with port).
	Authority string
	// Host is the name that routes are matched against: Authority without
	// port, in lower case.
	Host string
	// Target is the raw request target in origin form, with the query.
	Target string
	// Path is what routes are matched against: see NormalizePath.
	Path string
	// Captures are the parts of the path that the route has names for.
	Captures Captures
	// Query is the raw query without "?".
	Query string
	Proto Proto
	// TLS is what the client said in its handshake; nil without TLS.
	TLS *certs.Conn
	// Remote is the client, which is the peer of the connection unless that is a proxy which
	// is believed to know better. Local is the address it came to: on
	// a gateway behind L4 that is the EIP and the port of the listener.
	Remote, Local netip.AddrPort
	// Peer is that of the connection; not valid: Remote is.
	Peer netip.AddrPort
	// Forwarded is what becomes of what the peer says about who and what came to it.
	Forwarded Forwarded
	// Fields is the head as it was received, except Host (see Authority) and
	// whatever framing fields the engine keeps to itself. Framing is the
	// engine's: it writes Content-Length, Transfer-Encoding and Trailer from
	// the body, and Host from the plan, whatever Fields and edits say.
	Fields Fields
	// BodyLength in bytes; 0: no body; -1: not known before its end.
	BodyLength int64
	// SaysEmpty: the head has a Content-Length, of 0. Only conditions tell that from none.
	SaysEmpty bool
	// Body is what has come of the body, for who has asked for it: see Exchange.Collect.
	Body Body
	// Upgrade is the protocol the client asks to switch to, else empty.
	Upgrade string
	// Stable says that the strings are no views: they live until OnDone has
	// returned. An engine that sets it makes Own free.
	Stable bool
}

// Forwarded is what X-Forwarded-* and Forwarded of a request are worth.
type Forwarded uint8

// What may become of them.
const (
	// ForwardedJoined: the gateway says itself what it saw; X-Forwarded-For goes on, and the
	// client behind it.
	ForwardedJoined Forwarded = iota
	// ForwardedDropped: so, but X-Forwarded-For begins anew.
	ForwardedDropped
	// ForwardedBelieved: they go on, and the gateway says what is missing.
	ForwardedBelieved
)

// Body is the beginning of a request's body, or all of it.
type Body struct {
	State BodyState
	// Bytes are a view: they are valid until OnRequest returns. More than the limit may
	// be there of a body that is too long; and a last piece that was not charged of one for
	// which there is no room.
	Bytes []byte
}

// BodyState is how much of a body is known.
type BodyState uint8

// The states of a body.
const (
	BodyUnread  BodyState = iota // nobody has asked for it
	BodyWhole                    // all of it is there
	BodyTooLong                  // it is longer than the limit
	BodyNoRoom                   // the budget has no room for more of it
)

// Captures are named parts of a path. The zero Captures has none.
type Captures struct {
	Path string
	// By finds the part of a path by its name; false when there is none.
	By interface {
		Capture(path, name string) (string, bool)
	}
}

// own moves every view into the arena.
func (r *Request) own(a *Arena) {
	if r.Stable {
		return
	}
	for _, s := range []*string{&r.Method, &r.Scheme, &r.Authority, &r.Host, &r.Target, &r.Path, &r.Captures.Path, &r.Query, &r.Upgrade} {
		*s = a.Copy(*s)
	}
	for i := range r.Fields {
		r.Fields[i] = Field{a.Copy(r.Fields[i].Name), a.Copy(r.Fields[i].Value)}
	}
	r.Stable = true
}

// HasBody tells whether a body follows the head.
func (r *Request) HasBody() bool { return r.BodyLength != 0 }

// Idempotent tells whether a request with that method may be sent again (RFC 9110,
// 9.2.2). It follows nginx: of the methods in use only POST, LOCK and PATCH are not.
// Nor is a method that nobody knows.
func Idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PURGE":
		return true
	}
	return false
}

// Response is the head of an answer: the upstream's, or one of our own.
// Strings of an upstream's answer are views until OnResponse returns.
type Response struct {
	Status int
	Fields Fields
	// BodyLength in bytes; -1: not known before its end. Framing belongs to
	// the engine, as in Request.
	BodyLength int64
}
