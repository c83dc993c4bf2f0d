package std

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// multiplex is one round of the attempt over a connection that others use as well.
func (t *try) multiplex(ctx context.Context, m *multiplexed) (*http.Response, error) {
	t.rest() // connecting has a limit of its own
	c, reused, err := m.take(context.WithValue(ctx, connectKey{}, t.run.x.Plan.Connect), !exchange.Idempotent(t.run.x.Request.Method))
	if err != nil {
		return nil, err
	}
	t.reused = reused
	t.wrote.Store(false)
	t.sending.arm(exchange.TimedOutSend, t.run.x.Plan.Send)
	req := t.request(ctx)
	type answer struct {
		resp *http.Response
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		resp, err := c.RoundTrip(req) //nolint:bodyclose // the attempt does
		done <- answer{resp, err}
	}()
	for {
		select {
		case h := <-t.hints:
			t.pass(h)
		case a := <-done:
			for len(t.hints) > 0 {
				t.pass(<-t.hints)
			}
			if a.err == nil {
				b := &streamBody{ReadCloser: a.resp.Body, cancel: t.watch.cancel}
				a.resp.Body = b
				context.AfterFunc(ctx, func() { _ = b.Close() }) // it has no error
			}
			return a.resp, a.err
		}
	}
}

// streamBody is the body of an answer. The library looks at the context of a request
// only between two pieces of the request's body; so the end of the context closes the
// answer. It must be closed once: each time returns what was not read to the window
// of the connection.
type streamBody struct {
	io.ReadCloser
	cancel context.CancelFunc
	whole  atomic.Bool // it was read to its end
	once   sync.Once
}

func (b *streamBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.whole.Store(true)
	}
	return n, err
}

// closing is how long a stream may take to end whose answer has.
const closing = time.Second

// Close waits for the end of the stream, or how busy a connection is would be told wrong.
// Unless the target does not take what is written to it.
func (b *streamBody) Close() error {
	b.once.Do(func() {
		limit := time.AfterFunc(closing, b.cancel)
		if !b.whole.Load() {
			b.cancel()
		}
		_ = b.ReadCloser.Close() // nobody wants what it could say
		limit.Stop()
	})
	return nil
}

// A hint is an interim answer.
type hint struct {
	code   int
	header textproto.MIMEHeader
}

// hintsWaiting bounds the interim answers that wait until the client takes them. Who
// reads them reads for all streams of a connection, and must not wait.
const hintsWaiting = 64

var (
	errInterims = errors.New("malformed answer: too many of 1xx at a time")
	errSwitched = errors.New("malformed answer: HTTP/2 does not switch protocols")
)

var (
	errNoHTTP2 = errors.New("target does not speak HTTP/2")
	errSilent  = errors.New("target does not begin to speak HTTP/2")
)

// queue takes an interim answer from the goroutine that reads the connection.
func (t *try) queue(code int, header textproto.MIMEHeader) error {
	if code == http.StatusSwitchingProtocols {
		return errSwitched
	}
	if code == http.StatusContinue {
		return nil
	}
	select {
	case t.hints <- hint{code, header}:
		return nil
	default:
		return errInterims
	}
}

// beyondGoAway tells that the target ended the connection before it has looked at the
// request (RFC 9113, 6.8). The library has no type for it.
func beyondGoAway(err error) bool {
	return strings.Contains(err.Error(), "graceful shutdown GOAWAY")
}

// refused tells that the target has not looked at the request, and may next time: the
// server of Go's library refuses streams within its bound for a moment after others end.
func refused(err error) bool {
	var reset http2.StreamError
	return errors.As(err, &reset) && reset.Code == http2.ErrCodeRefusedStream && byPeer(reset)
}

// untouched tells that the target says it has not looked at the request.
func untouched(err error) bool {
	return refused(err) || beyondGoAway(err) || strings.Contains(err.Error(), "received GOAWAY from server")
}

func byPeer(reset http2.StreamError) bool {
	return reset.Cause != nil && reset.Cause.Error() == "received from peer"
}

// isNoHTTP2 tells an answer that breaks the rules from one that did not come.
func isNoHTTP2(err error) bool {
	var reset http2.StreamError
	if errors.As(err, &reset) {
		return !byPeer(reset)
	}
	for _, text := range []string{"connection error: ", "frame too large", "looked like an HTTP/1.1 header"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}
