package loop

// A back is the target's side of an exchange: a connection of HTTP/1.1, or a stream of
// HTTP/2. It takes the request's body, and tells the exchange of the answer as the target sends it.
type back interface {
	// body sends a part of the request's body; last: there is no more, but trailers that
	// the front has.
	body(b []byte, last bool)
	// full tells whether who produces for the target should pause.
	full() bool
	// sentAny tells whether the target may have got any of the request.
	sentAny() bool
	// more is called when the client has room for the answer again.
	more()
	// abandon ends the try: its exchange wants no answer any more.
	abandon()
}

var _ back = (*upstream)(nil)

func (u *upstream) more() {
	u.watch()
	u.again()
}
