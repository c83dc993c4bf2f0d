package loop

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// cut ends an answer that does not end as its head promised.
func (u *upstream) cut(why exchange.CutReason) {
	r := u.run
	u.run, r.b = nil, nil
	u.close()
	r.cut(why)
}

// eof is the end of what the target sends.
func (u *upstream) eof() {
	r := u.run
	switch {
	case r == nil:
		u.pool.out(&u.idler)
		u.close()
	case r.tunnel != nil:
		r.tunnel.over()
	case u.tls != nil && !u.tls.ended && !u.inBody: // it may have been cut by anybody
		u.broken(syscall.ECONNRESET)
	case u.inBody && u.framing.Length == h1.UntilClose && (u.tls == nil || u.tls.ended):
		if r.x.FilterBody {
			r.sendBody(r.l.e.o.Handler.OnBody(&r.x, nil, true), true)
		}
		u.complete(1) // and the connection is over
	case u.inBody:
		u.cut(exchange.CutTargetEnded)
	default:
		u.failure(exchange.FailedRead, errEnded)
	}
}

var errEnded = errors.New("target closed the connection")

// failure ends the try without an answer.
func (u *upstream) failure(kind exchange.FailureKind, err error) {
	r := u.run
	silent := len(u.in) == 0 && (kind == exchange.FailedRead || kind == exchange.FailedSend)
	sent := u.sentAny()
	u.run, r.b = nil, nil
	if u.open() {
		u.close()
	}
	// A kept connection that only turned out to be dead: its target was not even
	// asked, or is asked again without harm.
	if silent && u.reused && r.stale < maxStale && !r.spilled && (!sent || exchange.Idempotent(r.x.Request.Method)) {
		r.stale++
		r.attempt()
		return
	}
	r.failed(exchange.Failure{Kind: kind, Sent: sent, Replayable: !r.spilled, Err: err})
}

// tellFailure tells the handler of a try without an answer.
func (r *run) tellFailure(f exchange.Failure) exchange.Verdict {
	r.x.Now = r.l.time
	return r.l.e.o.Handler.OnFailure(&r.x, f)
}

// failed asks the handler what to do after a try without an answer.
func (r *run) failed(f exchange.Failure) {
	r.follow(r.tellFailure(f))
}

func (u *upstream) broken(e syscall.Errno) {
	r := u.run
	switch {
	case r == nil:
		if u.pool != nil {
			u.pool.out(&u.idler)
		}
	case r.tunnel != nil:
		r.tunnel.over()
	case u.connecting:
		u.failure(exchange.FailedConnect, fmt.Errorf("connect to %s: %w", r.x.Plan.Target.Pool.Address, e))
	case u.inBody:
		u.cut(exchange.CutTargetReset)
	case !u.asked || u.wrote == u.mark:
		u.failure(exchange.FailedSend, e)
	default:
		u.failure(exchange.FailedRead, e)
	}
}

func (u *upstream) late() {
	r := u.run
	switch {
	case r == nil:
		u.quit()
	case r.tunnel != nil:
		r.tunnel.over()
	case u.connecting:
		u.failure(exchange.TimedOutConnect, fmt.Errorf("connect to %s: %w", r.x.Plan.Target.Pool.Address, syscall.ETIMEDOUT))
	case u.inBody:
		u.cut(exchange.CutTargetSilent)
	case u.waiting() > 0:
		u.failure(exchange.TimedOutSend, syscall.ETIMEDOUT)
	default:
		u.failure(exchange.TimedOutRead, syscall.ETIMEDOUT)
	}
}

// abandon ends a try whose exchange wants no answer any more.
func (u *upstream) abandon() {
	u.run = nil
	u.close()
}
