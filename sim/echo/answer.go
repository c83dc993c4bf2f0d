package echo

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// answer does what the behaviour says; false when the connection cannot be used
// again.
func (s *Server) answer(c *conn, b Behaviour, p payload) bool {
	if !s.wait(b.Delay) {
		return false
	}
	switch {
	case b.Reset == ResetHead:
		reset(c)
		return false
	case b.Close == CloseHead:
		s.finish(c)
		return false
	case b.Garbage > 0:
		if c.write(garbage(b.Garbage)) == nil {
			s.finish(c)
		}
		return false
	}
	c.out = p.appendHead(c.out[:0], b)
	head := len(c.out)
	c.out = p.appendBody(c.out, b)
	body := len(c.out) - head
	cut := b.Reset == ResetBody || b.Close == CloseBody
	if cut {
		c.out = c.out[:head+body/2]
	}
	if !s.send(c, b, head) {
		return false
	}
	switch {
	case cut && b.Reset == ResetBody:
		reset(c)
	case cut || b.LengthOff > 0 && body > 0:
		s.finish(c)
	default:
		return true
	}
	return false
}

// send writes what is in c.out, of which the first bytes are the head.
func (s *Server) send(c *conn, b Behaviour, head int) bool {
	if b.DripBytes == 0 {
		return c.write(c.out) == nil
	}
	if c.write(c.out[:head]) != nil {
		return false
	}
	for rest := c.out[head:]; len(rest) > 0; {
		n := min(b.DripBytes, len(rest))
		if !s.wait(b.DripEvery) || c.write(rest[:n]) != nil {
			return false
		}
		rest = rest[n:]
	}
	return true
}

func (c *conn) write(b []byte) error {
	if err := c.SetDeadline(time.Now().Add(idleTimeout)); err != nil {
		return err
	}
	_, err := c.Write(b)
	return err
}

// wait lets time pass; false when the server closes meanwhile.
func (s *Server) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.done:
		return false
	}
}

func (p payload) appendHead(out []byte, b Behaviour) []byte {
	out = append(out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(p.status), 10)
	out = append(out, ' ')
	out = append(out, http.StatusText(p.status)...)
	out = appendLine(out, HeaderBackend, p.backend)
	if p.op != "" {
		out = appendLine(out, HeaderOp, p.op)
	}
	if p.vni != 0 {
		out = appendLine(out, HeaderVNI, strconv.FormatUint(uint64(p.vni), 10))
	}
	if bodyAllowed(p.status) {
		out = appendLine(out, "Content-Type", p.kind)
		if b.Chunked {
			out = appendLine(out, "Transfer-Encoding", "chunked")
		} else {
			out = appendLine(out, "Content-Length", strconv.Itoa(p.announced(b)))
		}
	}
	for _, line := range b.Add {
		out = append(append(out, "\r\n"...), line...)
	}
	if p.last {
		out = appendLine(out, "Connection", "close")
	}
	return append(out, "\r\n\r\n"...)
}

func appendLine(out []byte, name, value string) []byte {
	out = append(append(out, "\r\n"...), name...)
	return append(append(out, ": "...), value...)
}

// announced is the length that the head tells, or the size of the second chunk.
func (p payload) announced(b Behaviour) int {
	n := len(p.body)
	if b.Chunked {
		n /= 2
	}
	return max(0, n+b.LengthOff)
}

// appendBody appends the body as it goes onto the connection. Chunked it comes in
// two chunks, so that a reader must join them.
func (p payload) appendBody(out []byte, b Behaviour) []byte {
	if !b.Chunked || len(p.sent) == 0 {
		return append(out, p.sent...)
	}
	half := len(p.sent) - len(p.sent)/2
	out = fmt.Appendf(out, "%x\r\n%s\r\n", half, p.sent[:half])
	if n := p.announced(b); n > 0 {
		out = fmt.Appendf(out, "%x\r\n", n)
	}
	out = append(out, p.sent[half:]...)
	switch {
	case b.LengthOff > 0:
		return out // the rest of the chunk never comes
	case half < len(p.sent):
		out = append(out, "\r\n"...)
	}
	return append(out, "0\r\n\r\n"...)
}
