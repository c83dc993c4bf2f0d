package history

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/unilb/unilb/topology"
)

// An Outcome says whether an operation happened.
type Outcome string

// The outcomes. The zero value is not an outcome: an Op without one was never
// finished, and checks treat it as Info.
const (
	OK   Outcome = "ok"   // it happened: a complete response of a backend (or of the admin API) came back
	Fail Outcome = "fail" // it certainly did not happen
	Info Outcome = "info" // it may or may not have happened
)

// An ErrClass says how an operation ended when it did not simply succeed.
type ErrClass string

// The error classes. A response is the backend's when it carries the mark of
// an echo backend, else it is the gateway's.
const (
	ClassNone        ErrClass = ""
	ClassRefused     ErrClass = "refused"     // RST in answer to SYN: nothing was sent
	ClassUnreachable ErrClass = "unreachable" // no route, ICMP: nothing was sent
	ClassDialTimeout ErrClass = "dial-timeout"
	ClassReset       ErrClass = "reset"   // RST on an established connection
	ClassEOF         ErrClass = "eof"     // orderly end before the response was complete
	ClassTimeout     ErrClass = "timeout" // established, no complete response in time
	ClassCanceled    ErrClass = "canceled"
	ClassProtocol    ErrClass = "protocol" // something that is not HTTP came back
	ClassOther       ErrClass = "other"
	Class4xxGateway  ErrClass = "4xx-gateway"
	Class5xxGateway  ErrClass = "5xx-gateway"
	ClassOddGateway  ErrClass = "odd-gateway" // below 400 from the gateway itself
	Class4xxBackend  ErrClass = "4xx-backend"
	Class5xxBackend  ErrClass = "5xx-backend"
)

// A Field is one header line, in the order and spelling seen.
type Field struct {
	Name  string `json:"n"`
	Value string `json:"v"`
}

// A Request is what was sent, or what a backend saw.
type Request struct {
	Method  string  `json:"method"`
	Target  string  `json:"target"` // raw, as on the request line
	Proto   string  `json:"proto,omitempty"`
	Host    string  `json:"host,omitempty"`
	Header  []Field `json:"header,omitempty"` // not recorded for ordinary load
	BodyLen int64   `json:"body_len,omitempty"`
	BodySum string  `json:"body_sha256,omitempty"` // hex; empty without a body
}

// Idempotent says whether RFC 9110 9.2.2 lets a proxy repeat the request.
func (r Request) Idempotent() bool {
	switch r.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// A Response is what a client got back.
type Response struct {
	Status  int          `json:"status"`
	Backend topology.Ref `json:"backend,omitempty"` // as the backend says; empty: the gateway answered itself
	Header  []Field      `json:"header,omitempty"`  // not recorded for ordinary load
	BodyLen int64        `json:"body_len,omitempty"`
	BodySum string       `json:"body_sum,omitempty"` // of what came (see Sum); empty without a body
}

// An Answer is the response that a backend wrote, as it left the backend.
type Answer struct {
	Status  int    `json:"status"`
	BodyLen int64  `json:"body_len,omitempty"`
	BodySum string `json:"body_sum,omitempty"` // see Sum; empty without a body
}

// Sum is the digest of a response's body: the first 16 hex digits of its
// SHA-256. That is enough to see a change, and short, for millions are kept.
func Sum(sha [sha256.Size]byte) string { return hex.EncodeToString(sha[:8]) }

// An Op is one operation of a client. Times are since the start of the run.
type Op struct {
	Seq    uint64       `json:"seq"`    // given by the Recorder
	ID     string       `json:"id"`     // travels in the header X-Op-Id; joins client and backend
	Stream string       `json:"stream"` // which load it belongs to
	Client topology.Ref `json:"client"`
	Kind   string       `json:"kind"`           // "http", "admin", "tcp"
	To     string       `json:"to"`             // address dialled
	From   string       `json:"from,omitempty"` // address the client dialled from; empty when no connection was made

	Intended time.Duration `json:"intended"` // when it should have been sent; keeps latency honest
	Sent     time.Duration `json:"sent"`     // when the client began (dialling included)
	Returned time.Duration `json:"returned"` // last byte of the response, or the error

	Request  Request   `json:"request"`
	Response *Response `json:"response,omitempty"`
	Outcome  Outcome   `json:"outcome"`
	Class    ErrClass  `json:"class,omitempty"`
	Error    string    `json:"error,omitempty"`

	Conn   uint64 `json:"conn,omitempty"`   // identity of the client's connection; 0: none was made
	Reused int    `json:"reused,omitempty"` // how many requests the connection had carried before
}

// Latency is the time from the intended moment of sending to the end.
func (o Op) Latency() time.Duration { return o.Returned - o.Intended }

// An Arrival is one request as a backend saw it.
type Arrival struct {
	Seq     uint64        `json:"seq"`
	ID      string        `json:"id"` // empty when the request carried no X-Op-Id
	Backend topology.Ref  `json:"backend"`
	VNI     uint32        `json:"vni,omitempty"` // 0: not in a VPC
	From    string        `json:"from"`          // peer address and port
	At      time.Duration `json:"at"`            // when the head was complete
	Seen    Request       `json:"seen"`
	Cut     bool          `json:"cut,omitempty"`    // the body did not arrive completely
	Unread  bool          `json:"unread,omitempty"` // the backend left the body alone: nothing is known of it
	// Answer is what the backend set out to write, and what a client must have got
	// if it got a complete response; nil when the backend meant to write nothing, or
	// when it is not known. BodyLen without BodySum: it announced that many bytes
	// and never meant to send them all.
	Answer *Answer `json:"answer,omitempty"`
}
