package std

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// cut notes that the answer does not end as its head promised.
func (n *run) cut(why exchange.CutReason) { n.rec.Cut, n.rec.CutReason = true, why }

// cutRead is why an answer is cut whose body could not be read to its end.
func (t *try) cutRead(err error) exchange.CutReason {
	n := t.run
	var reset http2.StreamError
	var broken *net.OpError
	_, timedOut := t.timedOut()
	switch {
	case timedOut:
		return exchange.CutTargetSilent
	case n.r.Context().Err() != nil || n.body.clientError() != nil:
		return n.cutByClient()
	case errors.As(err, &reset) && byPeer(reset):
		return exchange.CutTargetReset
	case isNoHTTP2(err):
		return exchange.CutTargetMalformed
	case errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "GOAWAY"):
		return exchange.CutTargetEnded
	case errors.As(err, &broken), strings.Contains(err.Error(), "connection lost"):
		return exchange.CutTargetReset
	}
	return exchange.CutTargetMalformed
}

// cutWrite is why an answer is cut that the client did not take.
func (n *run) cutWrite(err error) exchange.CutReason {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return exchange.CutClientNotReading
	}
	return n.cutByClient()
}

// cutByClient is why an exchange has no answer, or no whole one, that ended for reasons
// on the client's side. The end of the engine is on that side, too: it closes the
// connections of clients.
func (n *run) cutByClient() exchange.CutReason {
	var tooBig *http.MaxBytesError
	var broken *net.OpError
	err := n.body.clientError()
	if n.two && err == nil && n.r.Context().Err() != nil {
		err = n.body.last()
	}
	switch {
	case n.e.ended.Load():
		return exchange.CutShutdown
	case n.two && n.stalled():
		return exchange.CutClientNotReading
	case n.two && n.reset(err):
		return exchange.CutClientReset
	case errors.As(err, &tooBig):
		return exchange.CutClientTooBig
	case errors.Is(err, os.ErrDeadlineExceeded):
		return exchange.CutClientNotSending
	case err == nil, errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &broken), n.two && err.Error() == "client disconnected":
		return exchange.CutClientGone
	}
	return exchange.CutClientMalformed
}
