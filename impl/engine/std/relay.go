package std

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// relay passes an upstream's answer to the client.
func (n *run) relay(resp *http.Response, t *try) {
	x := &n.x
	length := resp.ContentLength
	if x.FilterBody {
		length = -1
	}
	h := n.w.Header()
	announced := announce(h, resp.Trailer)
	if announced && length > 0 && n.r.Method != http.MethodHead && !n.two {
		length = -1 // what has a length has no trailers in HTTP/1.1
	}
	n.writeHead(resp.StatusCode, x.Response.Fields, length)
	if resp.StatusCode == http.StatusNotModified {
		return // with HTTP/2 the library misses a body of the length that it tells
	}
	if length < 0 {
		_ = n.flush() // a body of unknown length may be long in coming
	}
	if n.copyBody(resp, t, length); n.rec.Cut {
		return
	}
	for name, values := range resp.Trailer {
		switch {
		case h1.DropTrailer(name):
		case slices.Contains(h["Trailer"], name):
			h[name] = values
		default:
			h[http.TrailerPrefix+name] = values
		}
	}
}

// announce tells the client which trailers the target has announced.
func announce(h http.Header, trailer http.Header) bool {
	for name := range trailer {
		if !h1.DropTrailer(name) {
			h.Add("Trailer", name)
		}
	}
	return len(h["Trailer"]) > 0
}

// copyBody passes the body on, to its end or until it is cut.
func (n *run) copyBody(resp *http.Response, t *try, length int64) {
	x, w := &n.x, t.watch
	for {
		w.arm(exchange.TimedOutRead, x.Plan.Read)
		got, err := resp.Body.Read(n.buf)
		w.stop() // a slow client is not a slow target
		if err != nil && !errors.Is(err, io.EOF) {
			n.cut(t.cutRead(err))
			return
		}
		chunk := n.buf[:got]
		if x.FilterBody {
			chunk = n.e.o.Handler.OnBody(x, chunk, err != nil)
		}
		if len(chunk) > 0 {
			if werr := n.write(chunk); werr != nil {
				n.cut(n.cutWrite(werr))
				return
			}
		}
		if err != nil {
			return
		}
		// Pass on what came in pieces: no more is there now, and more will come.
		if got < len(n.buf) && (length < 0 || n.rec.Sent < length) {
			if ferr := n.flush(); ferr != nil {
				n.cut(n.cutWrite(ferr))
				return
			}
		}
	}
}

// tunnel connects client and target after a switch of protocols, until either
// ends or nothing moves for the read timeout.
func (n *run) tunnel(ctx context.Context, resp *http.Response, w *watch) {
	x := &n.x
	target, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		n.cut(exchange.CutInternal)
		return
	}
	conn, brw, err := n.rc.Hijack()
	if err != nil {
		n.cut(exchange.CutInternal)
		return
	}
	defer conn.Close()
	defer target.Close()
	guardOf(n.r.Context()).rest()
	head := "HTTP/1.1 " + strconv.Itoa(resp.StatusCode) + " Switching Protocols\r\n"
	n.fields = exchange.Apply(n.fields[:0], x.Response.Fields, x.ResponseEdits)
	for _, f := range n.fields {
		if !framing(f.Name) {
			head += f.Name + ": " + f.Value + "\r\n"
		}
	}
	n.rec.Status = resp.StatusCode
	if _, err := io.WriteString(conn, head+"\r\n"); err != nil {
		return
	}
	alive := func() { w.arm(exchange.TimedOutRead, x.Plan.Read) }
	alive()
	ends := make(chan struct{}, 2)
	go func() {
		pump(target, brw.Reader, make([]byte, copyBuffer), alive)
		ends <- struct{}{}
	}()
	go func() {
		n.rec.Sent = pump(conn, target, n.buf, alive)
		ends <- struct{}{}
	}()
	left := 2
	select {
	case <-ends:
		left--
	case <-ctx.Done(): // silence for too long
	}
	// Whoever is left reads from a closed connection and ends.
	_, _ = conn.Close(), target.Close()
	for range left {
		<-ends
	}
}

func pump(dst io.Writer, src io.Reader, buf []byte, alive func()) (total int64) {
	for {
		got, err := src.Read(buf)
		if got > 0 {
			alive()
			w, werr := dst.Write(buf[:got])
			total += int64(w)
			if werr != nil {
				return total
			}
		}
		if err != nil {
			return total
		}
	}
}
