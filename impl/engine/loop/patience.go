package loop

import "time"

// patience bounds how slowly a client may send the body of its request, or take that of
// an answer: who moves a byte now and then holds a connection, and one to a target, for
// as long as he likes. Time runs while we wait for the client, and what it moves gives
// some back, up to what it had at the beginning.
type patience struct {
	left    int64 // ns
	since   int64 // when it was looked at last
	waiting bool  // for the client, since then
}

// wait says whether we wait for the client now, and returns the time that it has left
// for that.
func (p *patience) wait(l *loop, waiting bool) time.Duration {
	if p.since == 0 {
		p.left = int64(l.e.o.BodyTimeout)
	} else if p.waiting {
		p.left -= l.now - p.since
	}
	p.since, p.waiting = l.now, waiting
	return max(1, time.Duration(p.left))
}

// moved gives time back for n bytes.
func (p *patience) moved(l *loop, n int) {
	p.wait(l, p.waiting)
	most := int64(l.e.o.BodyTimeout)
	if rate := l.e.o.MinBodyRate; rate > 0 {
		p.left = min(p.left+int64(n)*int64(time.Second)/rate, most)
	} else {
		p.left = most
	}
}
