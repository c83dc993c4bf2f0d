package loop

import (
	"errors"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// A tunnel is what an exchange has become after a switch of protocols: bytes pass in
// both directions until either side ends or nothing moves for the read timeout.
type tunnel struct {
	r *run
	u *upstream
}

var errUnasked = errors.New("target switched protocols without being asked")

// switched makes a tunnel of the exchange. head is the answer's, early what came
// behind it. It returns false when the target was not asked to switch.
func (u *upstream) switched(head, early []byte) bool {
	r := u.run
	x := &r.x
	if !x.Plan.Upgrade {
		u.failure(exchange.BadAnswer, errUnasked)
		return false
	}
	if v := r.tellAnswer(); v != exchange.Continue {
		u.run, r.b = nil, nil
		u.close()
		r.follow(v)
		return false
	}
	c := r.c
	c.take(h1.AppendAnswer(c.room(), x.Request.Proto, 101, x.Response.Fields, x.ResponseEdits, h1.OutFraming{Length: h1.None}))
	r.rec.Status, r.answering, r.closeIt = 101, true, true
	r.tunnel = &tunnel{r: r, u: u}
	r.tunnel.alive()
	if c.half { // that end is the tunnel's
		c.half, c.readable = false, true
	}
	c.again() // what the client sent early
	return true
}

func (t *tunnel) alive() { t.r.l.arm(&t.u.sock, t.r.x.Plan.Read) }

func (t *tunnel) fromClient(b []byte) {
	t.r.rec.Received += int64(len(b))
	t.u.send(b)
	t.alive()
}

func (t *tunnel) fromTarget(b []byte) {
	t.r.rec.Sent += int64(len(b))
	t.r.c.send(b)
	t.alive()
}

func (t *tunnel) toTargetFull() bool { return t.u.full() }

// clientSent and targetSent: who was full has room again.
func (t *tunnel) clientSent() { t.u.again() }
func (t *tunnel) targetSent() { t.r.c.again() }

// over ends the tunnel. What one side had sent before its end still goes to the
// other.
func (t *tunnel) over() {
	r, u := t.r, t.u
	u.flush()
	u.run, r.b, r.tunnel = nil, nil, nil
	if u.open() && u.waiting() > 0 {
		u.leaving = true
		r.l.arm(&u.sock, r.x.Plan.Send)
	} else {
		u.close()
	}
	r.finish(false)
}
