package loop

// Connections returns the connections from clients: those open now, those accepted
// since the start, and those closed at once for lack of room.
func (e *Engine) Connections() (open, accepted, refused int64) { return e.room.Counts() }

// Handshakes is how many handshakes with clients were done, and how many failed.
func (e *Engine) Handshakes() (done, failed int64) {
	return e.shaken.Load(), e.refused.all()[handshakeFailed]
}
