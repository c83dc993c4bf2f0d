package std

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// run is one exchange under way. Runs are reused.
type run struct {
	e      *Engine
	x      exchange.Exchange
	resume chan struct{}
	poke   func()
	fields exchange.Fields // scratch for heads
	buf    []byte          // scratch for bodies

	w     http.ResponseWriter
	rc    *http.ResponseController
	r     *http.Request
	begin time.Time
	two   bool // over HTTP/2
	body  *clientBody
	rec   exchange.Record
	// failed is why the last attempt did.
	failed exchange.FailureKind
	// over: it ended while it was suspended, and is never used again: the Resume is still
	// to come, and must not reach another.
	over bool
}

const copyBuffer = 32 << 10 // bytes

func newRun(e *Engine) *run {
	n := &run{e: e, resume: make(chan struct{}, 1), buf: make([]byte, copyBuffer)}
	n.poke = func() {
		select {
		case n.resume <- struct{}{}:
		default: // a second Resume for one Suspend says nothing new
		}
	}
	return n
}

// serve is the library's entry: one call for each request.
func (e *Engine) serve(w http.ResponseWriter, r *http.Request) {
	e.inflight.Add()
	defer e.inflight.Done()
	if c := connOf(r.Context()); c != nil {
		c.served.Store(true)
	}
	two := r.ProtoMajor == 2
	if !two && guardOf(r.Context()).doubtful() {
		e.refuse(w, r, "400 Bad Request", http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodConnect {
		e.refuse(w, r, "405 Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	n := e.runs.Get().(*run)
	lane, _ := r.Context().Value(laneKey{}).(int)
	n.x.Reset(lane, n.poke)
	n.w, n.r, n.begin, n.rec, n.failed = w, r, time.Now(), exchange.Record{}, exchange.FailedInternal
	n.rc, n.two = http.NewResponseController(w), two
	if err := fill(&n.x, r); err != nil {
		e.refuse(w, r, "400 Bad Request", http.StatusBadRequest)
		e.runs.Put(n)
		return
	}
	n.openBody()
	n.safely(n.drive)
	n.end()
	if n.x.Request.HasBody() && !n.body.abandon() && !two {
		if c := connOf(r.Context()); c != nil {
			c.lingers.Store(true)
		}
	}
	n.tell()
	cut := n.rec.Cut
	if !two {
		_ = n.rc.SetWriteDeadline(time.Time{}) // not for the next request; fails only on a dead connection
	}
	// A transport may still hold the body of an attempt that was given up; it
	// holds the body only, never the run.
	n.w, n.rc, n.r, n.body = nil, nil, nil, nil
	if !n.over {
		e.runs.Put(n)
	}
	if cut {
		// The library then closes the connection without a proper end, which
		// is how HTTP/1.1 says that an answer is not complete. A stream of HTTP/2 it
		// resets.
		panic(http.ErrAbortHandler)
	}
}

// safely calls f. A panic of the handler, or of ours, ends the exchange, which the
// handler is told, and goes on to the library, which logs it and ends the connection. The
// run is not used again: nobody knows in what state it is.
func (n *run) safely(f func()) {
	ended := false
	defer func() {
		if ended {
			return
		}
		defer func() { _ = recover() }() // what the handler has may be half done; the first panic is that which matters
		n.rec.Cut, n.rec.CutReason = true, exchange.CutInternal
		n.tell()
	}()
	f()
	ended = true
}

// tell tells the handler of the end.
func (n *run) tell() {
	n.rec.Duration = time.Since(n.begin)
	n.rec.Received = n.body.received()
	n.e.o.Handler.OnDone(&n.x, n.rec)
}

// refuse answers a request that the handler never sees, and over HTTP/1.1 the last of its
// connection: behind a malformed one somebody before us may have read another, and what
// follows CONNECT is meant for a tunnel.
func (e *Engine) refuse(w http.ResponseWriter, r *http.Request, text string, status int) {
	e.numbers.refused(status)
	if r.ProtoMajor < 2 {
		w.Header().Set("Connection", "close")
	}
	if e.o.Server != "" {
		w.Header().Set("Server", e.o.Server)
	}
	http.Error(w, text, status)
	if r.ProtoMajor == 2 {
		n := run{e: e, rc: http.NewResponseController(w), two: true}
		_ = n.flush() // or the library would wait for the client behind us; who does not take it goes without
	}
}

func (n *run) openBody() {
	src := n.r.Body
	if n.x.Request.HasBody() {
		// Without this the library reads the whole request before it lets us
		// answer. Every connection we serve can do it.
		_ = n.rc.EnableFullDuplex()
		if n.e.o.MaxBody > 0 {
			src = http.MaxBytesReader(n.w, src, n.e.o.MaxBody)
		}
	}
	r := n.r // the run may be another's when somebody asks for the end
	n.body = &clientBody{src: src, rc: n.rc, trailer: func() http.Header { return r.Trailer }, limit: n.x.ReplayLimit, length: n.x.Request.BodyLength, timeout: n.e.o.BodyTimeout}
	n.body.moved.L = &n.body.mu
}

// drive follows the handler's verdicts to the end.
func (n *run) drive() {
	h := n.e.o.Handler
	n.x.Now = n.begin
	v := h.OnRequest(&n.x)
	for {
		switch v {
		case exchange.Suspend:
			select {
			case <-n.resume:
				n.x.Now = time.Now()
				v = h.OnRequest(&n.x)
			case <-n.r.Context().Done():
				n.over = true
				n.cut(n.cutByClient())
				return
			}
		case exchange.Collect:
			v = n.collect()
		case exchange.Forward:
			v = n.attempt()
		case exchange.Respond:
			n.respond()
			return
		case exchange.Continue: // attempt has passed the answer on
			return
		default:
			n.cut(exchange.CutInternal)
			if n.failed == exchange.ClientGone || n.failed == exchange.ClientTooBig {
				n.cut(n.cutByClient())
			}
			return
		}
	}
}

// respond sends an answer that is ours.
func (n *run) respond() {
	a := &n.x.Answer
	n.writeHead(a.Status, a.Fields, a.BodyLength)
	if n.x.Body == nil || n.r.Method == http.MethodHead {
		return
	}
	for {
		chunk, err := n.x.Body.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			n.cut(exchange.CutInternal)
			return
		}
		if err := n.write(chunk); err != nil {
			n.cut(n.cutWrite(err))
			return
		}
	}
}

// writeHead sends the head of an answer. length is -1 when it is not known.
func (n *run) writeHead(status int, fields exchange.Fields, length int64) {
	h := n.w.Header()
	n.fields = exchange.Apply(n.fields[:0], fields, n.x.ResponseEdits)
	for _, f := range n.fields {
		if !framing(f.Name) && (!n.two || !ofConnection(f)) {
			h[f.Name] = append(h[f.Name], f.Value)
		}
	}
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // or the library would guess one
	}
	if length >= 0 && bodyAllowed(status) {
		h["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	}
	// A request whose body is still coming leaves bytes on a connection of HTTP/1.1 that
	// must not be taken for the next request. For HTTP/2 the library sends GOAWAY
	// instead.
	if n.e.closing() || !n.two && n.x.Request.HasBody() && !n.body.complete() {
		h["Connection"] = []string{"close"}
	}
	n.w.WriteHeader(status)
	n.rec.Status = status
}

func bodyAllowed(status int) bool { return status >= 200 && status != 204 && status != 304 }
