package cases

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// front is the reference as far as bytes matter: a strict proxy that reads what
// it gets by rules of its own, and by its bug one that does not. It shares routes
// with the reference and no parser with the cases.
type front struct {
	g *reference
	l net.Listener

	mu      sync.Mutex
	conns   map[net.Conn]bool
	idle    map[string][]*behind // by target
	held    map[net.Conn]string  // first answers that wait for the second
	running sync.WaitGroup
	tunnels map[net.Conn]chan struct{} // closed when they have ended
	one     sync.Mutex
}

// behind is a connection to a backend.
type behind struct {
	net.Conn
	r *bufio.Reader
}

func newFront(t *testing.T, g *reference) *front {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{g: g, l: l, conns: map[net.Conn]bool{}, tunnels: map[net.Conn]chan struct{}{}, idle: map[string][]*behind{}}
	f.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.keep(c, true)
			f.running.Go(func() { f.serve(c); f.keep(c, false) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		f.mu.Lock()
		for c := range f.conns {
			_ = c.Close()
		}
		f.mu.Unlock()
		f.running.Wait()
	})
	return f
}

func (f *front) is(bug string) bool { return f.g.is(bug) }

func (f *front) keep(c net.Conn, open bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if open {
		f.conns[c] = true
		return
	}
	_ = c.Close()
	delete(f.conns, c)
}

// inbound is a request of a client.
type inbound struct {
	*rawHead
	method, target, proto string
	host                  string
	framed                rawBody
	body, rawBody         []byte
	trailers              []rawField
	close                 bool
}

func (q *inbound) old() bool { return q.proto == "HTTP/1.0" }

func (f *front) serve(c net.Conn) {
	r := bufio.NewReaderSize(c, 4<<10)
	for {
		q, err := f.request(r, c)
		var no refusal
		switch {
		case errors.As(err, &no):
			f.refuse(c, q, int(no))
			if !f.is("goes on after refusal") {
				f.linger(c, r)
				return
			}
		case err != nil:
			return
		default:
			if !f.handle(c, r, q) {
				f.linger(c, r)
				return
			}
		}
	}
}

// linger ends our side first: closing at once could destroy the answer.
func (f *front) linger(c net.Conn, r *bufio.Reader) {
	if w, ok := c.(*net.TCPConn); ok {
		_ = w.CloseWrite()
	}
	_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	_, _ = io.Copy(io.Discard, r)
}

func (f *front) refuse(c net.Conn, q *inbound, status int) {
	body := fmt.Sprintf("%d\n", status)
	if q != nil && q.method == http.MethodHead {
		body = ""
	}
	_, _ = fmt.Fprintf(c, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), len(body), body)
}

// request reads a request line and fields, and, unless something is wrong with
// them, the body.
func (f *front) request(r *bufio.Reader, c net.Conn) (*inbound, error) {
	if f.is("reads heads in one piece") {
		if _, err := r.Peek(1); err != nil {
			return nil, err
		}
		if b, _ := r.Peek(r.Buffered()); !strings.Contains(string(b), "\r\n\r\n") {
			return nil, refusal(400)
		}
	}
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	if f.is("serves one client at a time") {
		if _, err := r.Peek(1); err != nil {
			return nil, err
		}
		f.one.Lock()
		defer f.one.Unlock()
	}
	h, err := f.head(r, false)
	if err != nil {
		return nil, err
	}
	q := &inbound{rawHead: h}
	if err := f.requestLine(q); err != nil {
		return q, err
	}
	if q.framed, err = f.framing(h, q.old()); err != nil {
		return q, err
	}
	hosts := h.values("Host")
	switch {
	case len(hosts) > 1 && !f.is("takes any Host"), len(hosts) == 0 && !q.old() && !f.is("needs no Host"),
		len(hosts) == 1 && strings.ContainsAny(hosts[0], " \t/") && !f.is("takes any Host"):
		return q, refusal(400)
	case q.host == "" && len(hosts) > 0:
		q.host = hosts[0]
	}
	for _, name := range []string{"Host", "Content-Length", "Transfer-Encoding"} {
		if h.lists("Connection", name) && !f.is("lets Connection name anything") {
			return q, refusal(400)
		}
	}
	q.close = h.lists("Connection", "close") || q.old() && (!h.lists("Connection", "keep-alive") || f.is("knows no old keep-alive"))
	if f.is("ignores close") && h.lists("Connection", "close") || f.is("keeps HTTP/1.0") {
		q.close = false
	}
	q.close = q.close || q.framed.last
	return q, nil
}

func (f *front) requestLine(q *inbound) error {
	words := strings.Split(q.first, " ")
	if f.is("splits at blanks") {
		words = strings.Fields(q.first)
		if len(words) > 3 {
			words = []string{words[0], strings.Join(words[1:len(words)-1], " "), words[len(words)-1]}
		}
	}
	if len(words) != 3 {
		return refusal(400)
	}
	q.method, q.target, q.proto = words[0], words[1], words[2]
	if (q.method == "" || strings.ContainsAny(q.method, "()\"@\x00\r,")) && !f.is("takes any method") {
		return refusal(400)
	}
	if q.proto != "HTTP/1.1" && q.proto != "HTTP/1.0" && !f.is("takes any version") {
		return refusal(505)
	}
	if q.method == http.MethodConnect && !f.is("tunnels for anybody") {
		return refusal(405)
	}
	if strings.ContainsAny(q.target, "\x00\r\t\x7f") && !f.is("takes any target") {
		return refusal(400)
	}
	if f.is("cuts targets") {
		q.target = q.target[:min(len(q.target), 4096)]
	}
	if len(q.target) > 16<<10 && !f.is("has no limits") && !f.is("cuts targets") || len(q.target) > 1<<10 && f.is("has narrow limits") {
		return refusal(414)
	}
	if rest, ok := strings.CutPrefix(q.target, "http://"); ok && !f.is("knows no absolute form") {
		q.host, q.target, _ = strings.Cut(rest, "/")
		q.target = "/" + q.target
		if f.is("believes Host") {
			q.host = ""
		}
	}
	if !strings.HasPrefix(q.target, "/") && !f.is("takes any target") && (q.target != "*" || q.method != http.MethodOptions) {
		return refusal(400)
	}
	return nil
}

// receive reads the body.
func (f *front) receive(c net.Conn, r *bufio.Reader, q *inbound) (err error) {
	if q.lists("Expect", "tea") && f.is("waits at expectations") {
		_, err = io.Copy(io.Discard, r)
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	if q.lists("Expect", "100-continue") && f.is("refuses expectations") {
		return refusal(417)
	}
	bodied := q.framed.chunked || q.framed.length > 0
	expects := q.lists("Expect", "100-continue")
	if bodied && expects && (!q.old() || f.is("sends 100 to anybody")) && !f.is("knows no Expect") {
		_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	switch {
	case f.is("GET has no body") && q.method == http.MethodGet:
	case q.framed.chunked:
		q.body, q.trailers, q.rawBody, err = f.chunks(r)
	case q.framed.length > 0:
		q.body = make([]byte, min(q.framed.length, 16<<20))
		var n int
		if n, err = io.ReadFull(r, q.body); err != nil && f.is("completes what was cut") && n > 0 {
			q.body, err = q.body[:n], nil
		}
		q.rawBody = q.body
	}
	return err
}

// handle answers one request; false ends the connection.
func (f *front) handle(c net.Conn, r *bufio.Reader, q *inbound) bool {
	if q.method == http.MethodConnect {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		return false
	}
	path := strings.Split(q.target, "?")[0]
	if f.is("takes any target") {
		path = "/"
	}
	f.g.mu.Lock()
	route := f.g.match(clone(f.g.objects), &http.Request{Method: q.method, Host: q.host, URL: &url.URL{Path: path}})
	f.g.mu.Unlock()
	if route == nil {
		unread := q.framed.chunked || q.framed.length > 0
		if unread && !f.is("leaves bodies lying") {
			q.close = true
		}
		_, _ = fmt.Fprintf(c, "HTTP/1.1 404 Not Found\r\n%sContent-Length: 0\r\n\r\n", closing(q.close))
		return !q.close
	}
	upgrade := f.upgrades(route, q)
	if err := f.receive(c, r, q); err != nil {
		var no refusal
		if errors.As(err, &no) || errors.Is(err, io.ErrUnexpectedEOF) {
			f.refuse(c, q, 400)
		}
		return false
	}
	target := ""
	up, _ := route.value["upstream"].(object) // cases of the protocol have it here, with one node
	nodes, _ := up["nodes"].(object)
	for n := range nodes {
		target = n
	}
	return f.forward(c, r, q, target, upgrade)
}

func closing(yes bool) string {
	if yes {
		return "Connection: close\r\n"
	}
	return ""
}

// write sends the request on, with nothing of the client's framing.
func (f *front) outbound(q *inbound, upgrade string) []byte {
	proto := "HTTP/1.1"
	if f.is("takes any version") {
		proto = q.proto
	}
	b := fmt.Appendf(nil, "%s %s %s\r\nHost: %s\r\n", q.method, q.target, proto, q.host)
	if f.is("believes Host") && q.host == "" {
		b = fmt.Appendf(nil, "%s %s %s\r\nHost: %s\r\n", q.method, q.target, proto, q.values("Host")[0])
	}
	if f.is("takes any Host") {
		b = fmt.Appendf(nil, "%s %s %s\r\n", q.method, q.target, proto)
	}
	asItCame := f.is("passes framing on") || f.is("passes lines on") || f.is("passes folds on")
	for _, h := range q.fields {
		switch strings.ToLower(h.name) {
		case "host":
			if f.is("takes any Host") {
				b = append(b, h.line+"\r\n"...)
			}
			continue
		case "connection", "keep-alive", "upgrade", "expect", "te", "trailer":
			continue
		case "content-length", "transfer-encoding":
			if !f.is("passes framing on") && (!f.is("passes folds on") || !strings.Contains(h.line, "\r\n")) {
				continue
			}
		}
		if asItCame {
			b = append(b, h.line+"\r\n"...)
		} else {
			b = fmt.Appendf(b, "%s: %s\r\n", h.name, h.value)
		}
	}
	if f.is("merges trailers") {
		for _, h := range q.trailers {
			b = fmt.Appendf(b, "%s: %s\r\n", h.name, h.value)
		}
	}
	if upgrade != "" {
		b = fmt.Appendf(b, "Connection: Upgrade\r\nUpgrade: %s\r\n", upgrade)
	}
	switch {
	case f.is("passes framing on"):
		return append(append(b, "\r\n"...), q.rawBody...)
	case q.framed.chunked && f.is("passes chunks on"):
		return append(append(b, "Transfer-Encoding: chunked\r\n\r\n"...), q.rawBody...)
	case len(q.trailers) > 0 && !f.is("merges trailers") && !f.is("drops trailers"):
		b = append(b, "Transfer-Encoding: chunked\r\n\r\n"...)
		if len(q.body) > 0 {
			b = fmt.Appendf(b, "%x\r\n%s\r\n", len(q.body), q.body)
		}
		b = append(b, "0\r\n"...)
		for _, h := range q.trailers {
			b = fmt.Appendf(b, "%s: %s\r\n", h.name, h.value)
		}
		return append(b, "\r\n"...)
	case len(q.body) > 0 || q.method == http.MethodPost:
		return append(fmt.Appendf(b, "Content-Length: %d\r\n\r\n", len(q.body)), q.body...)
	}
	return append(b, "\r\n"...)
}
