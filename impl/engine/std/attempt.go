package std

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// attempt sends the request to the plan's target and, when an answer comes and
// the handler agrees, passes it on.
func (n *run) attempt() exchange.Verdict {
	ctx, cancel := context.WithCancel(n.r.Context())
	defer cancel()
	t := &try{run: n, watch: newWatch(cancel), sending: newWatch(cancel)}
	if n.x.Plan.Target.Pool.HTTP2 {
		t.hints = make(chan hint, hintsWaiting)
	}
	defer t.rest()
	tr := n.e.pools.get(t.pool())
	resp, err := t.round(ctx, tr)
	for i := 0; err != nil && i < maxStale && t.stale(err); i++ {
		resp, err = t.round(ctx, tr)
	}
	t.endInterim()
	n.x.Now = time.Now()
	if err != nil {
		f := t.failure(err)
		n.failed = f.Kind
		return n.e.o.Handler.OnFailure(&n.x, f)
	}
	defer resp.Body.Close()
	x := &n.x
	x.Response.Status, x.Response.BodyLength = resp.StatusCode, resp.ContentLength
	x.Response.Fields = appendHeader(x.Response.Fields[:0], resp.Header)
	if resp.StatusCode == http.StatusSwitchingProtocols && !x.Plan.Upgrade {
		return n.e.o.Handler.OnFailure(x, exchange.Failure{Kind: exchange.BadAnswer, Sent: true,
			Err: errors.New("target switched protocols without being asked")})
	}
	if v := n.e.o.Handler.OnResponse(x); v != exchange.Continue {
		return v
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		n.tunnel(ctx, resp, t.watch)
	} else {
		n.relay(resp, t)
	}
	return exchange.Continue
}

// round asks the target once.
func (t *try) round(ctx context.Context, tr transport) (*http.Response, error) {
	if m, ok := tr.(*multiplexed); ok {
		return t.multiplex(ctx, m)
	}
	return tr.(*http.Transport).RoundTrip(t.request(ctx))
}

// try is one attempt.
type try struct {
	run   *run
	watch *watch // for the answer
	body  *reader

	// sending watches for the target to take the request, which may still go on while
	// the answer comes.
	sending *watch

	// The connection in use, what it had taken before us, and whether it was
	// kept. took: an earlier one of this try took bytes of it.
	conn   *counted
	mark   int64
	reused bool
	took   bool

	// For HTTP/2: whether a head was written, how often the target refused, and interim
	// answers for the client.
	wrote   atomic.Bool
	refused int
	hints   chan hint

	mu      sync.Mutex // interim answers come from a goroutine of the transport
	settled bool
}

// pool returns the key of the connections to use. For TLS without a name of
// its own the name is that of the request, as in APISIX.
func (t *try) pool() exchange.Pool {
	key := t.run.x.Plan.Target.Pool
	key.ClientCert = t.run.x.Plan.ClientCert
	if key.TLS && key.ServerName == "" {
		key.ServerName = strings.Trim(exchange.HostName(&t.run.x.Arena, t.run.x.Plan.Host), "[]")
		key.ServerName = strings.Clone(key.ServerName) // a key outlives the arena
	}
	return key
}

func (t *try) request(ctx context.Context) *http.Request {
	n, x := t.run, &t.run.x
	plan := &x.Plan
	send, read := plan.Send, plan.Read // who tells of the end of the request may be late: the run is another's then
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { t.rest() }, // connecting has a limit of its own
		GotConn: func(info httptrace.GotConnInfo) {
			t.gotConn(info)
			t.sending.arm(exchange.TimedOutSend, send)
		},
		WroteRequest:   func(httptrace.WroteRequestInfo) { t.wroteRequest(read) },
		Got1xxResponse: t.interim,
	}
	if plan.Target.Pool.HTTP2 {
		trace.WroteHeaders, trace.Got1xxResponse = func() { t.wrote.Store(true) }, t.queue
	}
	ctx = context.WithValue(httptrace.WithClientTrace(ctx, trace), connectKey{}, plan.Connect)
	req := (&http.Request{
		Method: x.Request.Method, URL: targetURL(x), Host: plan.Host, Header: t.header(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if !x.Request.HasBody() {
		return req
	}
	if req.ContentLength = x.Request.BodyLength; req.ContentLength < 0 {
		req.Trailer = http.Header{} // filled at the body's end
		for name := range n.r.Trailer {
			if !h1.DropTrailer(name) {
				req.Trailer[name] = nil
			}
		}
	}
	t.body = t.newReader(req.Trailer)
	req.Body = t.body
	// The transport asks for the body again only when a kept connection turned
	// out to be dead: before anything was written to it, or for an idempotent
	// request. (A client's Idempotency-Key makes any request idempotent.)
	req.GetBody = func() (io.ReadCloser, error) {
		if !t.body.detach() {
			return nil, errDetached
		}
		t.body = t.newReader(req.Trailer)
		return t.body, nil
	}
	return req
}

// rest watches for nothing, until there is a connection.
func (t *try) rest() {
	t.watch.stop()
	t.sending.stop()
}

// wroteRequest: now it is the target's turn, unless it has answered already.
func (t *try) wroteRequest(read time.Duration) {
	t.sending.stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.settled {
		t.watch.arm(exchange.TimedOutRead, read)
	}
}

func (t *try) newReader(trailer http.Header) *reader {
	send := t.run.x.Plan.Send
	return t.run.body.open(trailer, func(waiting bool) {
		if waiting {
			t.sending.stop() // a slow client is not a slow target
		} else {
			t.sending.arm(exchange.TimedOutSend, send)
		}
	})
}

// targetURL makes the library write the raw target of the request.
func targetURL(x *exchange.Exchange) *url.URL {
	u := &url.URL{Scheme: "http", Host: "target"}
	if x.Plan.Target.Pool.TLS {
		u.Scheme = "https"
	}
	path, query, found := strings.Cut(x.Request.Target, "?")
	u.RawQuery, u.ForceQuery = query, found && query == ""
	if strings.HasPrefix(path, "//") {
		// As Opaque this would be read as an authority.
		u.Path, u.RawPath = x.Request.Path, path
		if p, err := url.PathUnescape(path); err == nil {
			u.Path = p
		}
		return u
	}
	u.Opaque = path
	return u
}

func (t *try) header() http.Header {
	n, x := t.run, &t.run.x
	n.fields = exchange.Apply(n.fields[:0], x.Request.Fields, x.RequestEdits)
	h := make(http.Header, len(n.fields)+2)
	two := x.Plan.Target.Pool.HTTP2
	for _, f := range n.fields {
		if !framing(f.Name) && (!two || !ofConnection(f)) {
			// Values may live in the arena, and a transport may write a head
			// after it has answered: what goes into the map must outlive us.
			h[f.Name] = append(h[f.Name], strings.Clone(f.Value))
		}
	}
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // or the library would add its own
	}
	if x.Plan.Upgrade && !two {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{x.Request.Upgrade}
	}
	return h
}
