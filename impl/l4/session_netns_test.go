//go:build netns

package l4

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"time"
)

// A session is one TCP connection of the client, or one UDP flow.
type session struct {
	l       *lab
	conn    net.Conn
	in      *bufio.Reader
	gateway string // that answered first
}

// open dials and finds out which gateway answers.
func (l *lab) open() *session {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	c, err := l.dialer(l.client)(ctx, "tcp4", labVIP+":80")
	must(l.t, err)
	l.t.Cleanup(func() { c.Close() })
	s := &session{l: l, conn: c, in: bufio.NewReader(c)}
	s.gateway, _ = s.ask("hello")
	return s
}

// ask sends a line and returns who answered, and what client address they saw.
func (s *session) ask(line string) (gateway, seen string) {
	s.l.t.Helper()
	must(s.l.t, s.conn.SetDeadline(time.Now().Add(patience)))
	_, err := fmt.Fprintln(s.conn, line)
	must(s.l.t, err)
	answer, err := s.in.ReadString('\n')
	if err != nil {
		s.l.t.Fatalf("answer from %s to %s: %v", s.gateway, s.conn.LocalAddr(), err)
	}
	f := strings.SplitN(answer, " ", 3)
	return f[0], f[1]
}

// flow opens a UDP flow.
func (l *lab) flow() *session {
	l.t.Helper()
	c, err := l.dialer(l.client)(l.t.Context(), "udp4", labVIP+":443")
	must(l.t, err)
	l.t.Cleanup(func() { c.Close() })
	return &session{l: l, conn: c}
}

// answeredBy sends one datagram and returns who answered within the time; empty
// when nobody did.
func (s *session) answeredBy(within time.Duration) string {
	s.l.t.Helper()
	token := fmt.Sprint(rand.Uint64())
	must(s.l.t, s.conn.SetDeadline(time.Now().Add(within)))
	if _, err := s.conn.Write([]byte(token)); err != nil {
		return ""
	}
	buf := make([]byte, 2048)
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			return ""
		}
		if f := strings.SplitN(string(buf[:n]), " ", 3); f[2] == token {
			return f[0]
		}
	}
}

// slotOf is the twin of flow_slot in l4.c.
func slotOf(src, dst netip.AddrPort, proto Proto) int {
	mix := func(h uint32) uint32 {
		h ^= h >> 16
		h *= 0x85ebca6b
		h ^= h >> 13
		h *= 0xc2b2ae35
		return h ^ h>>16
	}
	host := func(a netip.Addr) uint32 {
		b := a.As4()
		return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	}
	h := mix(host(src.Addr()) ^ 0x9e3779b9)
	h = mix(h ^ host(dst.Addr()))
	h = mix(h ^ (uint32(src.Port())<<16 | uint32(dst.Port())))
	return int(mix(h^uint32(proto)) % RingSlots)
}

// byRing is the gateway that the ring in force has for a session.
func (l *lab) byRing(s *session) string {
	l.t.Helper()
	proto, port := TCP, "80"
	if _, ok := s.conn.LocalAddr().(*net.UDPAddr); ok {
		proto, port = UDP, "443"
	}
	slot := slotOf(netip.MustParseAddrPort(s.conn.LocalAddr().String()), netip.MustParseAddrPort(labVIP+":"+port), proto)
	l.ctl.mu.Lock()
	defer l.ctl.mu.Unlock()
	r := l.ctl.rings[PoolGateway]
	return r.members[r.slots[slot]].Name
}
