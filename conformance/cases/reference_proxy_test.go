package cases

import (
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/sim/echo"
)

// limits of a request at its targets.
type limits struct {
	connect, send, read, all time.Duration // all: of all tries together; 0: none
	tries                    int
}

func (g *reference) limitsOf(route *stored, up object, nodes int) limits {
	l := limits{connect: time.Minute, send: time.Minute, read: time.Minute, tries: nodes}
	timeouts, _ := up["timeout"].(object)
	if own, ok := route.value["timeout"].(object); ok && !g.is("ignores the route's timeouts") {
		timeouts = own
	}
	for name, d := range map[string]*time.Duration{"connect": &l.connect, "send": &l.send, "read": &l.read} {
		if s, ok := timeouts[name].(float64); ok && !g.is("never times out") {
			*d = time.Duration(s * float64(time.Second))
		}
	}
	if n, ok := up["retries"].(float64); ok && !g.is("ignores retries") {
		l.tries = 1 + int(n)
	}
	if s, ok := up["retry_timeout"].(float64); ok && !g.is("ignores retry_timeout") {
		l.all = time.Duration(s * float64(time.Second))
	}
	return l
}

// proxy sends the request to targets until one answers.
func (g *reference) proxy(w http.ResponseWriter, r *http.Request, view map[string]*stored, route *stored, body *replay) {
	if g.closed(w, view, route) {
		return
	}
	name, up, missing := g.upstream(view, route)
	if missing != 0 {
		w.WriteHeader(missing)
		return
	}
	nodes := g.nodesOf(name, up)
	l := g.limitsOf(route, up, len(nodes))
	defer body.abandon(http.NewResponseController(w))
	round := name
	if g.is("begins its round with every connection") {
		round += r.RemoteAddr
	}
	tried, status, begin, last := map[string]bool{}, http.StatusBadGateway, time.Now(), ""
	if g.tooLarge(r) {
		w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge)
		return
	}
	for n := 0; n < l.tries && (l.all == 0 || time.Since(begin) < l.all); n++ {
		target := g.pick(name, round, up, nodes, r, tried)
		if target == "" {
			break
		}
		if g.is("sticks to one target") && last != "" {
			target = last
		}
		tried[target], last = true, target
		a := &attempt{g: g, w: w, r: r, up: up, target: target, body: body, limits: l, again: n > 0}
		resp, err := a.send()
		if err == nil {
			g.passive(name, up, target, resp.StatusCode)
			if again := resp.StatusCode >= 500 && g.is("tries again after a 5xx") && n+1 < l.tries; again {
				a.end()
				continue
			}
			a.copy(resp)
			return
		}
		a.end()
		if g.is("closes instead of 502") {
			panic(http.ErrAbortHandler)
		}
		if status = http.StatusBadGateway; a.late.Load() || isTimeout(err) {
			status = http.StatusGatewayTimeout
		}
		repeats := g.is("repeats everything") || r.Method != "POST" && !g.is("no retry after a reset")
		if a.late.Load() && g.is("repeats after a time-out") {
			repeats, l.tries = true, 2
			clear(tried)
		}
		var op *net.OpError
		unsent := errors.As(err, &op) && op.Op == "dial"
		if status == http.StatusGatewayTimeout {
			g.passive(name, up, target, status)
		} else {
			g.passive(name, up, target, refused)
		}
		if again := unsent && !g.is("no retry") || !unsent && repeats; !again {
			break
		}
	}
	if g.is("answers 200 whatever comes") {
		status = http.StatusOK
	}
	if g.is("takes its time to fail") {
		select {
		case <-time.After(2500 * time.Millisecond):
		case <-r.Context().Done():
		}
	}
	w.WriteHeader(status)
}

// tooLarge is the limit of a gateway that has too little room for headers.
func (g *reference) tooLarge(r *http.Request) bool {
	size := 0
	for name, vs := range r.Header {
		for _, v := range vs {
			size += len(name) + len(v)
		}
	}
	return g.is("has little room for headers") && size > 4096
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// An attempt is a request at one target.
type attempt struct {
	g      *reference
	w      http.ResponseWriter
	r      *http.Request
	up     object
	target string
	body   *replay
	limits limits
	again  bool // not the first one

	cancel  context.CancelFunc
	silence *time.Timer // ends the attempt when nothing moves
	late    atomic.Bool
}

// armed lets the attempt be silent so long from now on.
func (a *attempt) armed(d time.Duration) {
	if a.silence == nil {
		a.silence = time.AfterFunc(math.MaxInt64, func() { a.late.Store(true); a.cancel() })
	}
	a.silence.Reset(d)
}

func (a *attempt) end() {
	a.cancel()
	if a.silence != nil {
		a.silence.Stop()
	}
	a.g.mu.Lock()
	a.g.active[a.target]--
	a.g.mu.Unlock()
}

// send makes the request of it; end or copy must follow.
func (a *attempt) send() (*http.Response, error) {
	g, r := a.g, a.r
	g.mu.Lock()
	g.active[a.target]++
	g.mu.Unlock()
	ctx := context.WithValue(r.Context(), connectKey{}, a.limits.connect)
	if !g.is("takes half-closed clients for gone") {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, a.cancel = context.WithCancel(ctx)
	if !g.is("works for clients that are gone") {
		// The library takes a client that has shut down its side for gone.
		context.AfterFunc(r.Context(), func() { time.AfterFunc(time.Second, a.cancel) })
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if c, ok := info.Conn.(*watched); ok && info.Reused {
				c.look()
			}
			a.armed(a.limits.send)
		},
		WroteRequest:   func(httptrace.WroteRequestInfo) { a.armed(a.limits.read) },
		Got1xxResponse: a.interim,
	})
	out := (&http.Request{
		Method: r.Method, Host: g.hostFor(r, a.up, a.target), Header: a.header(), ContentLength: r.ContentLength,
		URL: &url.URL{Scheme: "http", Host: a.target, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
	}).WithContext(ctx)
	g.respell(r, out)
	a.trail(out)
	if g.is("asks GET for HEAD") && r.Method == http.MethodHead {
		out.Method = http.MethodGet
	}
	without := a.again && g.is("repeats without the body")
	if a.body.length != 0 && !without {
		out.Body, out.ContentLength = a.body.reader(func() { a.armed(a.limits.send) }), a.body.length
	} else if out.ContentLength = 0; r.Method == http.MethodPost && g.is("frames nothing as chunked") {
		out.TransferEncoding, out.ContentLength, out.Body = []string{"chunked"}, -1, io.NopCloser(strings.NewReader(""))
	}
	if g.is("trusts kept connections") {
		return g.roundTrip(out, a.target)
	}
	if g.is("keeps connections for each client") {
		return g.poolOf(r.RemoteAddr).RoundTrip(out)
	}
	targets, secure := a.securely(out.Host)
	if secure {
		out.URL.Scheme = "https"
	}
	resp, err := targets.RoundTrip(out)
	if err != nil && g.is("repeats on a new connection") && r.Method == http.MethodPost {
		out.Body = a.body.reader(func() {})
		return g.backends.RoundTrip(out)
	}
	return resp, err
}

// trail passes the trailers of a request on, which are there when its body has ended.
func (a *attempt) trail(out *http.Request) {
	switch {
	case a.g.is("drops trailers"):
	case a.g.is("merges trailers"):
		_, _ = io.ReadAll(a.body.reader(func() {}))
		maps.Copy(out.Header, a.r.Trailer)
	default:
		out.Trailer = a.r.Trailer
	}
}

// hostFor is the Host of the request to a target.
func (g *reference) hostFor(r *http.Request, up object, target string) string {
	pass, _ := up["pass_host"].(string)
	switch {
	case g.is("ignores pass_host"):
	case pass == "node":
		return target
	case pass == "rewrite":
		host, _ := up["upstream_host"].(string)
		return host
	}
	if h, _, err := net.SplitHostPort(r.Host); err == nil && g.is("takes the port off Host") {
		return h
	}
	return r.Host
}

// interim is a response of class 1xx.
func (a *attempt) interim(code int, header textproto.MIMEHeader) error {
	if a.g.is("chokes on 1xx") {
		return errors.New("no such status")
	}
	if a.g.is("drops 1xx") || code == http.StatusContinue {
		return nil
	}
	for name, vs := range header {
		a.w.Header()[name] = vs
	}
	a.w.WriteHeader(code)
	clear(a.w.Header())
	return nil
}

// copy passes the answer on.
func (a *attempt) copy(resp *http.Response) {
	g, w := a.g, a.w
	defer a.end()
	defer resp.Body.Close()
	if g.is("copies response headers") {
		resp.Header.Del("Connection")
	} else {
		strip(resp.Header)
	}
	g.muddle(resp.Header, "turns lines of answers round")
	for name, vs := range resp.Header {
		w.Header()[name] = vs
	}
	if _, kind := resp.Header["Content-Type"]; !kind {
		w.Header()["Content-Type"] = nil // or the library guesses
	}
	if g.is("mixes answers") {
		w.Header().Set(echo.HeaderOp, "another")
	}
	if g.is("dates answers itself") {
		w.Header().Del("Date")
	}
	status := resp.StatusCode
	if g.is("closes on early answers") && !a.body.ended() {
		panic(http.ErrAbortHandler)
	}
	switch {
	case g.is("knows few statuses") && http.StatusText(status) == "":
		status = status / 100 * 100
	case g.is("has pages of its own") && status >= 400:
		w.Header().Del("Content-Length")
		http.Error(w, "something went wrong", status)
		return
	case g.is("closes after errors") && status >= 400:
		w.Header().Set("Connection", "close")
	}
	if g.is("sends bodies where none may be") && (a.r.Method == http.MethodHead || status == 304) {
		w.Header()["Content-Length"] = []string{"0"}
		w.WriteHeader(status)
		conn, buf, _ := w.(http.Hijacker).Hijack()
		_, _ = buf.WriteString("surplus")
		_ = buf.Flush()
		_ = conn.Close()
		return
	}
	a.copyBody(resp, status)
}

func (a *attempt) copyBody(resp *http.Response, status int) {
	g, w := a.g, a.w
	var all []byte
	switch long := w.Header().Get("Content-Length"); {
	case g.is("overwrites answers"), g.is("gathers answers"), g.is("completes what was cut"):
		b, err := io.ReadAll(resp.Body)
		if err == nil && g.is("overwrites answers") {
			b = []byte(strings.Repeat("z", len(b)))
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		all, resp.Body = b, http.NoBody
	case g.is("cuts long answers") && long == "": // one that is not announced can be cut unseen
		resp.Body = io.NopCloser(io.LimitReader(resp.Body, 1<<20))
	case g.is("takes no length for no body") && long == "" && len(resp.TransferEncoding) == 0:
		w.Header().Set("Content-Length", "0")
		resp.Body = http.NoBody
	}
	if g.is("waits for ever in bodies") {
		a.silence.Stop()
	}
	w.WriteHeader(status)
	_, _ = w.Write(all)
	buf := make([]byte, 32<<10)
	for {
		if !g.is("bounds the whole answer") && !g.is("waits for ever in bodies") {
			a.armed(a.limits.read)
		}
		n, err := resp.Body.Read(buf)
		if !g.is("bounds the whole answer") {
			a.silence.Stop()
		}
		if n > 0 {
			if g.is("gives up on slow clients") {
				_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
			}
			if _, werr := w.Write(buf[:n]); werr != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
		switch {
		case errors.Is(err, io.EOF):
			for name, vs := range resp.Trailer {
				if !g.is("drops trailers") {
					w.Header()[http.TrailerPrefix+name] = vs
				}
			}
			return
		case err != nil:
			panic(http.ErrAbortHandler) // which is how HTTP/1.1 says that there is more
		}
	}
}
