package gateway

// numbers are what engines count of connections.
type numbers struct {
	Open             int64 // now
	Accepted, NoRoom int64 // since the start
	// Refused counts requests and bodies that were refused, by reason.
	Refused map[string]int64
	// Handshakes is nil where nobody counts them.
	Handshakes *handshakes
}

type handshakes struct{ Done, Failed int64 }

// tallying is what both engines offer.
type tallying interface {
	Connections() (open, accepted, refused int64)
	Refused() map[string]int64
}

// numbersOf sums what engines have counted. One that has handshakes offers
// Handshakes() (done, failed int64), too.
func numbersOf(engines ...tallying) numbers {
	n := numbers{Refused: map[string]int64{}}
	for _, e := range engines {
		open, accepted, noRoom := e.Connections()
		n.Open, n.Accepted, n.NoRoom = n.Open+open, n.Accepted+accepted, n.NoRoom+noRoom
		for why, v := range e.Refused() {
			n.Refused[why] += v
		}
		if h, ok := e.(interface{ Handshakes() (done, failed int64) }); ok {
			if n.Handshakes == nil {
				n.Handshakes = &handshakes{}
			}
			done, failed := h.Handshakes()
			n.Handshakes.Done, n.Handshakes.Failed = n.Handshakes.Done+done, n.Handshakes.Failed+failed
		}
	}
	return n
}

func (e stdEngine) Numbers() numbers { return numbersOf(e.Engine) }

func (e loopEngine) Numbers() numbers { return numbersOf(e.Engine) }
