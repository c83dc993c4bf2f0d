package cases

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"time"
)

// upgrades says to which protocol a request may switch.
func (f *front) upgrades(route *stored, q *inbound) string {
	if !q.lists("Connection", "upgrade") || len(q.values("Upgrade")) == 0 {
		return ""
	}
	if route.value["enable_websocket"] != true && !f.is("passes upgrades") || f.is("knows no upgrade") {
		return ""
	}
	return q.values("Upgrade")[0]
}

// tunnel connects both sides until either ends.
func (f *front) tunnel(c net.Conn, r *bufio.Reader, b *behind, h *rawHead) {
	out := h.first
	for _, x := range h.fields {
		if strings.EqualFold(x.name, "Sec-WebSocket-Accept") && f.is("forgets the accept") {
			continue
		}
		out += "\r\n" + x.name + ": " + x.value
	}
	if _, err := io.WriteString(c, out+"\r\n\r\n"); err != nil {
		return
	}
	_, _ = c.SetDeadline(time.Time{}), b.SetDeadline(time.Time{})
	defer f.stands(c)()
	done, began := make(chan struct{}, 2), f.revision()
	pump := func(dst io.Writer, src io.Reader) {
		buf := make([]byte, 4<<10)
		total := 0
		for {
			n, err := src.Read(buf)
			total += n
			if f.is("closes tunnels on edit") && f.revision() != began {
				break
			}
			if n > 0 {
				if _, werr := dst.Write(f.spoilFrame(buf[:n])); werr != nil {
					break
				}
			}
			if err != nil || f.is("cuts large frames") && total > 100_000 {
				break
			}
		}
		done <- struct{}{}
	}
	go pump(b, r)
	if f.is("loses what was read ahead") {
		go pump(c, b.Conn)
	} else {
		go pump(c, b.r)
	}
	<-done
	if !f.is("keeps half a tunnel") {
		_, _ = c.Close(), b.Close()
	}
	<-done
	_, _ = c.Close(), b.Close()
}

// stands notes a tunnel until the returned function is called.
func (f *front) stands(c net.Conn) (ended func()) {
	over := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tunnels[c] = over
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.tunnels, c)
		close(over)
	}
}

// drainTunnels waits for the tunnels that stand.
func (f *front) drainTunnels(ctx context.Context) {
	const most = 20 * time.Second // a case looks for 5 s whether its door is shut, which it is not
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	f.mu.Lock()
	var over []chan struct{}
	for c, o := range f.tunnels {
		over = append(over, o)
		if f.is("a drain cuts tunnels") {
			_ = c.Close()
		}
	}
	f.mu.Unlock()
	for _, o := range over {
		select {
		case <-o:
		case <-ctx.Done():
		}
	}
}

// cutTunnels ends the tunnels that stand.
func (f *front) cutTunnels() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.tunnels {
		_ = c.Close()
	}
}

// spoilFrame is what a gateway does to frames that does not leave them alone.
func (f *front) spoilFrame(b []byte) []byte {
	switch {
	case f.is("drops pings") && b[0] == 0x89:
		return nil
	case f.is("rewrites close codes") && b[0] == 0x88 && len(b) >= 4 && b[1]&0x80 == 0:
		b[2], b[3] = 0x03, 0xe8
	case f.is("joins fragments") && b[0] == 0x01:
		b[0] = 0x81
	}
	return b
}

// revision counts the edits.
func (f *front) revision() int64 {
	f.g.mu.Lock()
	defer f.g.mu.Unlock()
	return f.g.rev
}

// hold keeps the first of two answers back until the second is there.
func (f *front) hold(c net.Conn, q *inbound, out string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held == nil {
		f.held = map[net.Conn]string{}
	}
	if first, ok := f.held[c]; ok {
		delete(f.held, c)
		_, _ = io.WriteString(c, out+first)
		return true
	}
	if strings.HasSuffix(q.target, "1") {
		f.held[c] = out
		return true
	}
	return false
}
