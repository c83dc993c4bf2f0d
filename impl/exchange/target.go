package exchange

import (
	"crypto/tls"
	"time"
)

// Target is one server that requests are forwarded to. It is immutable;
// engines key their connection pools by Target.Pool.
type Target struct {
	Pool Pool
	// Name identifies the target in logs and status pages: host:port.
	Name string
}

// Pool is everything that connections must share to be exchangeable. A
// connection is never used for a request with another Pool.
type Pool struct {
	// Address to connect to: "ip:port", or "name:port" to be resolved.
	Address string
	// Generation of the address: it changes when the address is given to
	// another owner, so that no connection outlives the change.
	Generation int64
	// TLS encrypts; ServerName is then the name asked for, and Verify checks
	// the certificate against it.
	ServerName  string
	TLS, Verify bool
	// HTTP2: the target speaks HTTP/2, agreed on by ALPN with TLS and known before
	// without (RFC 9113, 3.3).
	HTTP2 bool
	// ClientCert is shown to the target if it asks; nil: none. It is compared by
	// its address: engines fill it in from the plan.
	ClientCert *tls.Certificate
	// IdleConns is how many idle connections are kept, IdleTimeout for how long.
	IdleConns   int
	IdleTimeout time.Duration
}

// Plan says how to forward: where to, as what, and how long to wait.
type Plan struct {
	Target *Target
	// Host is the Host field of the upstream request.
	Host string
	// ClientCert is shown to a target that asks for one; nil: none.
	ClientCert *tls.Certificate
	// Connect limits the time until the connection stands, Send the time
	// between two writes, Read the time between two reads.
	Connect, Send, Read time.Duration
	// Upgrade lets the request ask the upstream to switch protocols. HTTP/2 has no
	// such thing (RFC 9113, 8.6): there the request goes without it.
	Upgrade bool
}

// FailureKind says why an attempt gave no answer.
type FailureKind uint8

// Why attempts fail.
const (
	FailedInternal  FailureKind = iota // the gateway is at fault
	FailedConnect                      // refused, unreachable, reset while connecting
	TimedOutConnect                    // no connection in time
	FailedSend                         // reset or closed while sending
	TimedOutSend                       // the target did not take the request in time
	FailedRead                         // reset or closed before a whole head came
	TimedOutRead                       // no head in time
	BadAnswer                          // what came is no HTTP answer
	ClientGone                         // the client went away or sent a bad body
	ClientTooBig                       // the request body exceeds a limit
	lastFailureKind
)

var failureNames = [lastFailureKind]string{"internal", "connect_failed", "connect_timeout", "send_failed",
	"send_timeout", "read_failed", "read_timeout", "bad_answer", "client_gone", "client_too_big"}

// FailureKinds is how many there are: the size of a table of counters indexed by
// FailureKind.
const FailureKinds = int(lastFailureKind)

// String returns a word for logs and labels of metrics.
func (k FailureKind) String() string {
	if k < lastFailureKind {
		return failureNames[k]
	}
	return "unknown"
}

// Timeout tells whether the kind is one of waiting too long.
func (k FailureKind) Timeout() bool {
	return k == TimedOutConnect || k == TimedOutSend || k == TimedOutRead
}

// Failure is an attempt that ended before the head of an answer came.
type Failure struct {
	Kind FailureKind
	// Sent: at least one byte of the request may have reached the target.
	Sent bool
	// Replayable: the engine can send the request again from its first byte:
	// either nothing of the body was consumed or all of it is in the replay
	// buffer.
	Replayable bool
	Err        error
}
