package cases

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// forward sends the request to a target and its answer back; false ends the
// client's connection.
func (f *front) forward(c net.Conn, r *bufio.Reader, q *inbound, target, upgrade string) bool {
	b, err := f.dial(target)
	if err != nil {
		f.refuse(c, q, 502)
		return false
	}
	_ = b.SetDeadline(time.Now().Add(20 * time.Second))
	out := f.outbound(q, upgrade)
	if f.is("sends a beginning too many") && len(q.rawBody) > 0 {
		out = append(out, "GET /smug"...)
	}
	if _, err := b.Write(out); err != nil || f.is("waits for the whole") {
		_ = b.Close()
		if f.is("waits for the whole") {
			_, _ = io.Copy(io.Discard, r)
		}
		f.refuse(c, q, 502)
		return false
	}
	keepBehind, keep := f.answer(c, r, q, b, upgrade)
	if !keepBehind || f.is("sends a beginning too many") && len(q.rawBody) > 0 {
		_ = b.Close()
		return keep
	}
	_ = b.SetDeadline(time.Time{})
	f.mu.Lock()
	f.idle[target] = append(f.idle[target], b)
	f.mu.Unlock()
	return keep
}

// dial takes a kept connection on which nothing has come, or makes one.
func (f *front) dial(target string) (*behind, error) {
	for {
		f.mu.Lock()
		var b *behind
		if n := len(f.idle[target]); n > 0 {
			b = f.idle[target][n-1]
			f.idle[target] = f.idle[target][:n-1]
		}
		f.mu.Unlock()
		if b == nil {
			break
		}
		if f.is("keeps what follows an answer") && b.r.Buffered() > 0 {
			return b, nil
		}
		if b.r.Buffered() > 0 {
			_ = b.Close()
			continue
		}
		_ = b.SetReadDeadline(time.Now().Add(2 * time.Millisecond))
		_, err := b.r.Peek(1)
		var silent net.Error
		if errors.As(err, &silent) && silent.Timeout() || err == nil && f.is("keeps what follows an answer") {
			return b, nil
		}
		_ = b.Close() // ended, or it speaks without being asked
	}
	c, err := net.DialTimeout("tcp", target, 2*time.Second)
	if err != nil {
		return nil, err
	}
	f.keep(c, true)
	return &behind{c, bufio.NewReaderSize(c, 4<<10)}, nil
}

// answer reads the target's answer and passes it on.
func (f *front) answer(c net.Conn, r *bufio.Reader, q *inbound, b *behind, upgrade string) (keepBehind, keep bool) {
	for range 1000 {
		h, err := f.head(b.r, true)
		status, ok := 0, false
		if err == nil {
			status, ok = f.statusLine(h)
		}
		if !ok {
			return f.bad(c, q)
		}
		switch {
		case status == 101 && upgrade != "", upgrade != "" && f.is("makes a tunnel of a refusal"):
			f.tunnel(c, r, b, h)
			return false, false
		case status == 101 && !f.is("switches unasked"):
			return f.bad(c, q)
		case status == 101:
			f.tunnel(c, r, b, h)
			return false, false
		case status < 200:
			if status != 100 && !q.old() && !f.is("drops 1xx") {
				_, _ = fmt.Fprintf(c, "%s\r\n\r\n", h.first)
			}
			if f.is("takes 1xx for the answer") {
				_, _ = fmt.Fprintf(c, "HTTP/1.1 204 No Content\r\n\r\n")
				return true, true
			}
			continue
		}
		return f.relay(c, q, b, h, status)
	}
	return f.bad(c, q)
}

func (f *front) bad(c net.Conn, q *inbound) (keepBehind, keep bool) {
	f.refuse(c, q, 502)
	return false, false
}

func (f *front) statusLine(h *rawHead) (int, bool) {
	proto, rest, _ := strings.Cut(h.first, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if f.is("passes answers on") && err != nil {
		return 200, true
	}
	return status, strings.HasPrefix(proto, "HTTP/1.") && err == nil && len(code) == 3 && status >= 100
}

func (f *front) relay(c net.Conn, q *inbound, b *behind, h *rawHead, status int) (keepBehind, keep bool) {
	framed, err := f.answerFraming(h)
	if err != nil {
		return f.bad(c, q)
	}
	bodyless := q.method == http.MethodHead || status == 204 || status == 304
	if f.is("HEAD is GET") && q.method == http.MethodHead || f.is("204 has a body") && status == 204 {
		bodyless = false
	}
	var body []byte
	var trailers []rawField
	keepBehind = !h.lists("Connection", "close") && !framed.last
	switch {
	case bodyless:
	case framed.chunked:
		body, trailers, _, err = f.chunks(b.r)
	case framed.sized:
		body = make([]byte, framed.length)
		var n int
		n, err = io.ReadFull(b.r, body)
		body = body[:n]
	default:
		body, err = io.ReadAll(b.r)
		keepBehind = false
	}
	if err != nil && !f.is("completes what was cut") {
		return f.bad(c, q)
	}
	keepBehind = keepBehind && err == nil
	out := h.first
	if !f.is("passes answers on") {
		out = fmt.Sprintf("HTTP/1.1 %d %s", status, http.StatusText(status))
	}
	for _, x := range h.fields {
		switch strings.ToLower(x.name) {
		case "connection", "keep-alive", "trailer":
			continue
		case "content-length":
			if !bodyless && !f.is("passes answers on") {
				continue
			}
		case "transfer-encoding":
			if !f.is("passes answers on") {
				continue
			}
		}
		if f.is("passes answers on") || f.is("passes folds on") {
			out += "\r\n" + x.line
		} else {
			out += "\r\n" + x.name + ": " + x.value
		}
	}
	if f.is("merges trailers") {
		for _, x := range trailers {
			out += "\r\n" + x.name + ": " + x.value
		}
	}
	out += "\r\n" + closing(q.close)
	if q.old() && !q.close && !f.is("keeps in silence") {
		out += "Connection: keep-alive\r\n"
	}
	chunked := len(body) > 0 && f.is("answers in chunks")
	switch {
	case bodyless || f.is("passes answers on"):
		out += "\r\n"
	case chunked:
		out += fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
		body = nil
	default:
		out += fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))
	}
	out += string(body)
	if f.is("answers the last first") && f.hold(c, q, out) {
		return keepBehind, true
	}
	_, err = io.WriteString(c, out)
	return keepBehind, err == nil && !q.close
}

// answerFraming is framing by the rules for answers.
func (f *front) answerFraming(h *rawHead) (rawBody, error) {
	if f.is("passes answers on") {
		cl := h.values("Content-Length")
		if len(cl) == 0 {
			return rawBody{chunked: len(h.values("Transfer-Encoding")) > 0}, nil
		}
		n, _ := strconv.ParseInt(cl[0], 10, 32)
		return rawBody{sized: true, length: max(n, 0)}, nil
	}
	return f.framing(h, false)
}
