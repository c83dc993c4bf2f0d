package loop

import "github.com/unilb/unilb/impl/exchange"

// collect waits for the request's body, of which the handler wants to know before it
// decides. It may be there already, after a Suspend or because there is none.
func (r *run) collect() {
	if r.x.Request.Body.State != exchange.BodyUnread {
		r.abort() // who asks twice may do so for ever
		return
	}
	r.collecting = true
	if r.collected(len(r.kept)) {
		r.askWithBody()
		return
	}
	r.goAhead()
	r.f.pace()
}

// collected charges n bytes more of the body that are kept, and tells whether the handler
// can be asked again.
func (r *run) collected(n int) bool {
	r.noRoom = !r.x.Charge(n)
	return r.whole || r.noRoom || len(r.kept) > r.x.CollectLimit
}

// askWithBody asks the handler again, and shows it what has come of the body. The exchange
// may be over then.
func (r *run) askWithBody() {
	x := &r.x
	r.collecting = false
	x.Request.Body = exchange.Body{State: exchange.BodyWhole, Bytes: r.kept}
	switch {
	case len(r.kept) > x.CollectLimit:
		x.Request.Body.State = exchange.BodyTooLong
	case r.noRoom:
		x.Request.Body.State = exchange.BodyNoRoom
	}
	x.Now = r.l.time
	v := r.l.e.o.Handler.OnRequest(x)
	x.Request.Body.Bytes = nil
	r.follow(v)
}
