package std

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/unilb/unilb/impl/exchange"
)

// interim passes 1xx answers on. 100 is not passed: the expectation was met on
// our side of the gateway.
func (t *try) interim(code int, header textproto.MIMEHeader) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.settled && code != http.StatusContinue {
		t.pass(hint{code, header})
	}
	return nil
}

// pass sends an interim answer to the client.
func (t *try) pass(i hint) {
	n := t.run
	if n.x.Request.Proto == exchange.HTTP10 {
		return
	}
	n.limit()
	h := n.w.Header()
	for k, vv := range i.header {
		if !n.two || !ofConnection(exchange.Field{Name: k}) {
			h[k] = vv
		}
	}
	n.w.WriteHeader(i.code)
	n.unlimit()
	clear(h)
}

func (t *try) endInterim() {
	t.mu.Lock()
	t.settled = true
	t.mu.Unlock()
}

// timedOut tells whether, and what for, the attempt was ended for silence.
func (t *try) timedOut() (exchange.FailureKind, bool) {
	if kind, fired := t.sending.fired(); fired {
		return kind, true
	}
	return t.watch.fired()
}

// failure says what went wrong, from the transport's error and from what we saw.
func (t *try) failure(err error) exchange.Failure {
	f := exchange.Failure{Sent: t.sent(), Replayable: true, Err: err}
	clientErr := t.run.body.clientError()
	if t.body != nil {
		f.Replayable = t.body.detach()
	}
	if t.wrote.Load() && untouched(err) {
		// What is gone cannot be sent to another target either.
		f.Sent = !f.Replayable
	}
	var dial *dialError
	var tooBig *http.MaxBytesError
	fired, timedOut := t.timedOut()
	switch {
	case errors.As(clientErr, &tooBig):
		f.Kind = exchange.ClientTooBig
	case clientErr != nil:
		f.Kind, f.Err = exchange.ClientGone, clientErr
	case timedOut:
		f.Kind = fired
	case t.run.r.Context().Err() != nil:
		f.Kind = exchange.ClientGone
	case errors.As(err, &dial):
		f.Kind = exchange.FailedConnect
		if dial.timeout {
			f.Kind = exchange.TimedOutConnect
		}
	case isMalformed(err) || t.wrote.Load() && isNoHTTP2(err):
		f.Kind = exchange.BadAnswer
	default:
		f.Kind = exchange.FailedRead
	}
	return f
}

// isMalformed tells an answer that is no HTTP from one that did not come. The
// library has no type for it: what ends a connection and comes neither from the network
// nor from the end of what was sent is wrong with what was sent.
func isMalformed(err error) bool {
	text := err.Error()
	if strings.Contains(text, "malformed") || strings.Contains(text, "exceeded") {
		return true
	}
	var broken *net.OpError
	return strings.Contains(text, "transport connection broken") && !errors.As(err, &broken) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
}
