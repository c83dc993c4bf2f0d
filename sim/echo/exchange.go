package echo

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// An Answer is the JSON body of an ordinary response: the request as seen.
type Answer struct {
	Backend topology.Ref    `json:"backend"`
	VNI     uint32          `json:"vni,omitempty"`
	Op      string          `json:"op,omitempty"`
	From    string          `json:"from"`
	Local   string          `json:"local"`
	Seen    history.Request `json:"seen"`
}

// Values are the values of all header lines of that name that the backend saw,
// in order. Names compare without regard to case.
func (a Answer) Values(name string) []string {
	h := head{fields: a.Seen.Header}
	return h.all(name)
}

// exchange serves one request; false ends the connection.
func (s *Server) exchange(c net.Conn, br *bufio.Reader, q *head) bool {
	at := s.now()
	id := q.get(HeaderOpID)
	probe := id == "" && (q.target == s.o.HealthPath)
	body, framing := q.body(br)
	if q.get("Expect") == "100-continue" && body != nil {
		if _, err := io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return false
		}
	}
	seen := history.Request{Method: q.method, Target: q.target, Proto: q.proto, Host: q.get("Host"), Header: q.fields}
	var cut error
	if body != nil {
		seen.BodyLen, seen.BodySum, cut = digest(body)
	}
	b, err := s.behaviourFor(q)
	if framing != nil || err != nil {
		b = Behaviour{Status: http.StatusBadRequest}
	}
	silent := cut != nil
	if q.target == s.o.HealthPath {
		switch Health(s.health.Load()) {
		case Sick:
			b.Status = http.StatusServiceUnavailable
		case Hanging:
			silent = true
		}
	}
	p, err := payloadOf(q, b, Answer{
		Backend: s.o.Ref, VNI: s.o.VNI, Op: id, From: c.RemoteAddr().String(), Local: c.LocalAddr().String(), Seen: seen,
	})
	if err != nil {
		return false // cannot happen: an Answer holds strings and numbers
	}
	if probe {
		s.probes.Add(1)
	} else {
		s.requests.Add(1)
		a := history.Arrival{ID: id, Backend: s.o.Ref, VNI: s.o.VNI, From: c.RemoteAddr().String(), At: at, Seen: seen, Cut: cut != nil || framing != nil}
		if !silent {
			a.Answer = p.record()
		}
		s.record(a)
	}
	switch {
	case cut != nil:
		return false
	case silent:
		s.hang(c)
		return false
	}
	return s.answer(c, q, b, p) && framing == nil && !q.close()
}

func (s *Server) now() time.Duration {
	if s.o.Sink == nil {
		return 0
	}
	return s.o.Sink.Now()
}

func (s *Server) record(a history.Arrival) {
	if s.o.Sink == nil {
		return
	}
	if s.o.Lean {
		a.Seen.Header = nil
	}
	s.o.Sink.Arrival(a)
}

// hang waits until the peer goes away or the server closes.
func (s *Server) hang(c net.Conn) {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, c) // any end of it is the end we wait for
	}()
	select {
	case <-gone:
	case <-s.done:
		_ = c.Close()
		<-gone
	}
}

// answer writes the response; false when the connection cannot be used again.
func (s *Server) answer(c net.Conn, q *head, b Behaviour, p payload) bool {
	if b.Delay > 0 {
		t := time.NewTimer(b.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-s.done:
			return false
		}
	}
	if b.Reset == ResetHead {
		reset(c)
		return false
	}
	if err := c.SetDeadline(time.Now().Add(idleTimeout)); err != nil {
		return false
	}
	var out bytes.Buffer
	s.writeHead(&out, q, p.status, b, p.kind, len(p.body))
	framed := frame(q, b, p.body)
	if b.Reset == ResetBody {
		out.Write(framed[:len(framed)/2])
		if _, err := c.Write(out.Bytes()); err == nil {
			reset(c)
		}
		return false
	}
	out.Write(framed)
	_, err := c.Write(out.Bytes())
	return err == nil
}

func (s *Server) writeHead(out *bytes.Buffer, q *head, status int, b Behaviour, ctype string, length int) {
	fmt.Fprintf(out, "HTTP/1.1 %d %s\r\n%s: %s\r\n", status, http.StatusText(status), HeaderBackend, s.o.Ref)
	if id := q.get(HeaderOpID); id != "" {
		fmt.Fprintf(out, "%s: %s\r\n", HeaderOp, id)
	}
	if s.o.VNI != 0 {
		fmt.Fprintf(out, "%s: %d\r\n", HeaderVNI, s.o.VNI)
	}
	if bodyAllowed(status) {
		fmt.Fprintf(out, "Content-Type: %s\r\n", ctype)
		if b.Chunked {
			out.WriteString("Transfer-Encoding: chunked\r\n")
		} else {
			fmt.Fprintf(out, "Content-Length: %d\r\n", length)
		}
	}
	for _, line := range b.Add {
		out.WriteString(line + "\r\n")
	}
	if q.close() {
		out.WriteString("Connection: close\r\n")
	}
	out.WriteString("\r\n")
}

// frame is the body as it goes onto the connection.
func frame(q *head, b Behaviour, body []byte) []byte {
	if !bodySent(q, b.Status) {
		return nil
	}
	if !b.Chunked {
		return body
	}
	half := (len(body) + 1) / 2 // two chunks, so that a reader must join them
	if half == len(body) {
		return fmt.Appendf(nil, "%x\r\n%s\r\n0\r\n\r\n", half, body)
	}
	return fmt.Appendf(nil, "%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", half, body[:half], len(body)-half, body[half:])
}

// bodySent says whether the response has a body.
func bodySent(q *head, status int) bool { return q.method != http.MethodHead && bodyAllowed(status) }

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// reset ends the connection with a RST, which no reader can take for the
// orderly end of a response.
func reset(c net.Conn) {
	if t, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(0) // the close below cuts the connection all the same
	}
	_ = c.Close()
}
