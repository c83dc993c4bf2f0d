package std

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// collect waits for the request's body, of which the handler wants to know before it
// decides, and asks it again.
func (n *run) collect() exchange.Verdict {
	x, h := &n.x, n.e.o.Handler
	if x.Request.Body.State != exchange.BodyUnread {
		return exchange.Abort // who asks twice may do so for ever
	}
	var err error
	if x.Request.Body, err = n.body.collect(x.CollectLimit, x.Charge); err == nil {
		x.Now = time.Now()
		v := h.OnRequest(x)
		x.Request.Body.Bytes = nil
		return v
	}
	n.failed = exchange.ClientGone
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
		n.failed, x.Now = exchange.ClientTooBig, time.Now()
		if v := h.OnFailure(x, exchange.Failure{Kind: n.failed, Err: err}); v != exchange.Forward {
			return v
		} // to whom the client never sends the rest
	}
	return exchange.Abort
}

// collect reads until the body has ended, is longer than limit, or cannot be charged. All of
// it is kept for the attempts. The error is why it has not ended well.
func (b *clientBody) collect(limit int, charge func(n int) bool) (exchange.Body, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	charged, room := 0, true
	for b.length != 0 && b.ended == nil && len(b.kept) <= limit && room {
		b.want()
		b.moved.Wait()
		room = charge(len(b.kept) - charged) // that which one read has brought
		charged = len(b.kept)
	}
	switch {
	case b.ended != nil && !errors.Is(b.ended, io.EOF):
		return exchange.Body{}, b.ended
	case len(b.kept) > limit:
		return exchange.Body{State: exchange.BodyTooLong, Bytes: b.kept}, nil
	case !room:
		return exchange.Body{State: exchange.BodyNoRoom, Bytes: b.kept}, nil
	}
	return exchange.Body{State: exchange.BodyWhole, Bytes: b.kept}, nil
}
