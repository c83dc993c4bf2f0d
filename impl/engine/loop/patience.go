package loop

import "time"

// patience bounds how slowly a client may send the body of its request: who sends a
// byte now and then holds a connection, and one to a target, for as long as he likes.
// Time runs while we wait for the client, and what it sends gives some back, up to what
// it had at the beginning.
type patience struct {
	left    int64 // ns
	since   int64 // when it was looked at last
	waiting bool  // for the client, since then
}

// wait says whether we wait for the client now, and returns the time that it has left
// for that.
func (r *run) wait(waiting bool) time.Duration {
	p, now := &r.slow, r.l.now
	if p.since == 0 {
		p.left = int64(r.l.e.o.BodyTimeout)
	} else if p.waiting {
		p.left -= now - p.since
	}
	p.since, p.waiting = now, waiting
	return max(1, time.Duration(p.left))
}

// came gives time back for n bytes.
func (r *run) came(n int) {
	if rate := r.l.e.o.MinBodyRate; rate > 0 {
		p := &r.slow
		p.left = min(p.left+int64(n)*int64(time.Second)/rate, int64(r.l.e.o.BodyTimeout))
	} else {
		r.slow.left = int64(r.l.e.o.BodyTimeout)
	}
}
