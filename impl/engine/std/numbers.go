package std

import "sync/atomic"

// Connections returns the connections from clients: those open now, those accepted
// since the start, and those closed at once for lack of room.
func (e *Engine) Connections() (open, accepted, refused int64) { return e.room.Counts() }

// Refused is how many requests were refused before the handler saw them, by reason.
// What the library refuses by itself has one for all: it does not say which. A head that
// does not come in time it ends without a word, and nobody counts it.
func (e *Engine) Refused() map[string]int64 {
	n := &e.numbers
	return map[string]int64{"malformed": n.malformed.Load(), "method": n.method.Load(), "library": n.library.Load()}
}

// Handshakes is how many handshakes with clients were done, and how many failed.
func (e *Engine) Handshakes() (done, failed int64) {
	return e.numbers.shaken.Load(), e.numbers.unshaken.Load()
}

// numbers are counters of what is rare beside requests: they are shared.
type numbers struct{ malformed, method, library, shaken, unshaken atomic.Int64 }

// broken counts a rule of HTTP/2 that a client has broken, which the library names. It is
// none to send on what is left of a body when the answer has ended.
func (n *numbers) broken(what string) {
	if what != "stream_STREAM_CLOSED_closed" {
		n.library.Add(1)
	}
}

func (n *numbers) refused(status int) {
	if status == 405 {
		n.method.Add(1)
		return
	}
	n.malformed.Add(1)
}
