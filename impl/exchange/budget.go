package exchange

import "sync/atomic"

// A Budget bounds how many bytes requests hold together. A nil Budget bounds nothing. It is
// safe for concurrent use.
type Budget struct {
	most int64
	held atomic.Int64
}

// NewBudget returns one of so many bytes.
func NewBudget(most int64) *Budget { return &Budget{most: most} }

// Take takes n bytes, or none and returns false when fewer are left.
func (b *Budget) Take(n int64) bool {
	if b == nil {
		return true
	}
	for {
		held := b.held.Load()
		if n > b.most-held {
			return false
		}
		if b.held.CompareAndSwap(held, held+n) {
			return true
		}
	}
}

// Give gives back what was taken.
func (b *Budget) Give(n int64) {
	if b != nil {
		b.held.Add(-n)
	}
}

// Held is how many bytes are taken now.
func (b *Budget) Held() int64 { return b.held.Load() }

// Most is how many bytes may be taken.
func (b *Budget) Most() int64 { return b.most }

// Charge takes n bytes of the budget that Collect was told. An engine calls it for each piece
// of the body that it keeps until the handler is asked again, and asks it at once when there
// is no room: see BodyNoRoom.
func (x *Exchange) Charge(n int) bool {
	if !x.budget.Take(int64(n)) {
		return false
	}
	x.charged += int64(n)
	return true
}

// Charged is how many bytes of the budget the exchange holds.
func (x *Exchange) Charged() int64 { return x.charged }

// Refund gives them back. Who told Collect of a budget calls it in OnDone.
func (x *Exchange) Refund() {
	if x.charged != 0 {
		x.budget.Give(x.charged)
		x.charged = 0
	}
}
