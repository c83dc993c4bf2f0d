package h2

// What the other side may do without bringing anything forward. What counts is the balance:
// work that is done gives back, and so does time.
const (
	// maxCalm is how many frames may come that bring nothing forward.
	maxCalm = 2048
	// earnedByAnswer is what an answer to its end gives back of that, and earnedByData
	// what a frame of a body does at most: one for each bytesEarn bytes, so that a
	// client that opens windows by single bytes uses up its budget.
	earnedByAnswer = 16
	earnedByData   = 4
	bytesEarn      = 32
	// perSecond is what time gives back, of either budget.
	perSecond = 50
	second    = 1e9
)

// budget bounds what the other side has us do for nothing.
type budget struct {
	calm   int   // frames: PING, SETTINGS, WINDOW_UPDATE, PRIORITY, empty DATA, unknown ones
	resets int   // requests that are given up, by the client or because of it
	most   int   // of resets; 0: of a target, which can give up no more than we ask it
	at     int64 // when time has last given back; 0: never
}

func newBudget(streams int) budget {
	return budget{calm: maxCalm, resets: 2 * streams, most: 2 * streams}
}

// spend takes for one frame.
func (b *budget) spend() Reason {
	if b.calm--; b.calm < 0 {
		return ReasonFlood
	}
	return NoReason
}

// spendReset takes for one request that is given up.
func (b *budget) spendReset() Reason {
	if b.resets--; b.resets < 0 && b.most > 0 {
		return ReasonResets
	}
	return NoReason
}

// answered gives back for an answer that came to its end.
func (b *budget) answered() {
	b.calm = min(maxCalm, b.calm+earnedByAnswer)
	b.resets = min(b.most, b.resets+1)
}

// moved gives back for a frame with so many bytes of a body.
func (b *budget) moved(bytes int) {
	b.calm = min(maxCalm, b.calm+min(earnedByData, bytes/bytesEarn))
}

// paced gives back for a part of a body that went as its owner gave it, and not in
// pieces as windows allowed: who measures a connection by it, as gRPC does, answers
// every such part with a PING and a WINDOW_UPDATE.
func (b *budget) paced(bytes int) {
	if bytes > 0 {
		b.calm = min(maxCalm, b.calm+earnedByData)
	}
}

// refill gives back for the time that has passed.
func (b *budget) refill(now int64) {
	if b.at == 0 || now < b.at {
		b.at = now
		return
	}
	n := int(min((now-b.at)*perSecond/second, maxCalm))
	if n <= 0 {
		return
	}
	b.at = now
	b.calm = min(maxCalm, b.calm+n)
	b.resets = min(b.most, b.resets+n)
}
