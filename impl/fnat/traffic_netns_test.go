//go:build netns

package fnat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		os.Exit(runChild())
	}
	sandbox.Main(m)
}

// listenUDP opens a socket inside and answers every datagram with the node's
// name, the sender as seen, and the datagram.
func (n *testNode) echoUDP(name string, port int) {
	n.t.Helper()
	c := n.udp("0.0.0.0", port)
	go func() {
		buf := make([]byte, 1<<16)
		for {
			size, from, err := c.ReadFromUDPAddrPort(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			_, _ = c.WriteToUDPAddrPort(append([]byte(name+" "+from.String()+" "), buf[:size]...), from)
		}
	}()
}

func (n *testNode) udp(ip string, port int) (c *net.UDPConn) {
	n.t.Helper()
	n.in(func() (err error) {
		c, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip), Port: port})
		return err
	})
	n.t.Cleanup(func() { c.Close() })
	return c
}

// echoTCP answers each connection with the node's name and the sender as seen,
// then with what it gets.
func (n *testNode) echoTCP(name string, port int) {
	n.t.Helper()
	var l net.Listener
	n.in(func() (err error) {
		l, err = net.Listen("tcp4", fmt.Sprintf("0.0.0.0:%d", port))
		return err
	})
	n.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprintf(c, "%s %s\n", name, c.RemoteAddr())
				_, _ = io.Copy(c, c)
			}()
		}
	}()
}

// askUDP sends to a server from a local port (0: any) and returns the answer.
func (n *testNode) askUDP(from int, to netip.AddrPort, payload []byte) (string, error) {
	n.t.Helper()
	var c *net.UDPConn
	n.in(func() (err error) {
		c, err = net.DialUDP("udp4", &net.UDPAddr{Port: from}, net.UDPAddrFromAddrPort(to))
		return err
	})
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(payload); err != nil {
		return "", err
	}
	buf := make([]byte, 1<<16)
	size, err := c.Read(buf)
	return string(buf[:size]), err
}

// askTCP connects, reads the greeting, and has payload echoed.
func (n *testNode) askTCP(from int, to netip.AddrPort, payload []byte) (string, error) {
	n.t.Helper()
	var c net.Conn
	err := n.ns.Do(func() (err error) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		d := net.Dialer{LocalAddr: &net.TCPAddr{Port: from}, Control: func(_, _ string, rc syscall.RawConn) error {
			return rc.Control(func(fd uintptr) {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
			})
		}}
		c, err = d.DialContext(ctx, "tcp4", to.String())
		return err
	})
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	go func() {
		_, _ = c.Write(payload)
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	all, err := io.ReadAll(c)
	if err != nil {
		return "", err
	}
	greeting, rest, _ := strings.Cut(string(all), "\n")
	if rest != string(payload) {
		return greeting, fmt.Errorf("echo of %d bytes came back as %d other bytes", len(payload), len(rest))
	}
	return greeting, nil
}

// eachSNMP calls f with every counter of a namespace.
func (n *testNode) eachSNMP(f func(group, name string, value int)) {
	n.t.Helper()
	var b []byte
	n.in(func() (err error) { b, err = os.ReadFile("/proc/thread-self/net/snmp"); return err })
	lines := strings.Split(string(b), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		for j := 1; j < len(names) && j < len(values); j++ {
			v, err := strconv.Atoi(values[j])
			if err != nil {
				n.t.Fatalf("counter %s: %v", names[j], err)
			}
			f(names[0], names[j], v)
		}
	}
}

// csumErrors sums the checksum errors that a namespace has seen.
func (n *testNode) csumErrors() (sum int) {
	n.t.Helper()
	n.eachSNMP(func(_, name string, v int) {
		if strings.HasSuffix(name, "CsumErrors") {
			sum += v
		}
	})
	return sum
}

// snmp returns one counter.
func (n *testNode) snmp(group, name string) (value int) {
	n.t.Helper()
	n.eachSNMP(func(g, c string, v int) {
		if g == group && c == name {
			value = v
		}
	})
	return value
}

func TestTenantsWithOneAddressAreToldApart(t *testing.T) {
	l := newTestLab(t)
	l.checkBothWays()
}

// checkBothWays asks every guest over TCP and UDP from the gateway, and the
// gateway from guests that use the same address and port.
func (l *testLab) checkBothWays() {
	l.t.Helper()
	for _, g := range []*testGuest{l.a1, l.b1, l.a2} {
		g.echoUDP(g.name, 7)
		g.echoTCP(g.name, 7)
	}
	l.gw.echoUDP("GW", 7)
	l.gw.echoTCP("GW", 7)
	bulk := bytes.Repeat([]byte("0123456789abcdef"), 1<<14) // 256 KiB: segments in one piece
	for unique, g := range map[netip.Addr]*testGuest{l.uniqueA: l.a1, l.uniqueB: l.b1, l.uniqueC: l.a2} {
		for _, payload := range [][]byte{[]byte("hello"), bytes.Repeat([]byte("f"), 20000)} {
			got, err := l.gw.askUDP(0, netip.AddrPortFrom(unique, 7), payload)
			if err != nil || !strings.HasPrefix(got, g.name+" "+member.String()+":") || !strings.HasSuffix(got, string(payload)) {
				l.t.Errorf("UDP %d bytes to %s: got %.40q, %v; want an answer of %s", len(payload), unique, got, err, g.name)
			}
			got, err = g.askUDP(7777, netip.AddrPortFrom(member, 7), payload)
			if want := "GW " + unique.String() + ":7777 "; err != nil || !strings.HasPrefix(got, want) {
				l.t.Errorf("UDP %d bytes from %s: got %.40q, %v; want %q", len(payload), g.name, got, err, want)
			}
		}
		for _, payload := range [][]byte{[]byte("hello"), bulk} {
			got, err := l.gw.askTCP(0, netip.AddrPortFrom(unique, 7), payload)
			if err != nil || !strings.HasPrefix(got, g.name+" "+member.String()+":") {
				l.t.Errorf("TCP %d bytes to %s: got %.40q, %v; want an answer of %s", len(payload), unique, got, err, g.name)
			}
			got, err = g.askTCP(0, netip.AddrPortFrom(member, 7), payload)
			if want := "GW " + unique.String() + ":"; err != nil || !strings.HasPrefix(got, want) {
				l.t.Errorf("TCP %d bytes from %s: got %.40q, %v; want %q", len(payload), g.name, got, err, want)
			}
		}
	}
	// Guests of one tenant, on two hosts and on one.
	for _, to := range []*testGuest{l.a2, l.a1} {
		got, err := l.a3.askUDP(0, netip.AddrPortFrom(to.port.IP, 7), []byte("hello"))
		if want := to.name + " 192.168.1.12:"; err != nil || !strings.HasPrefix(got, want) {
			l.t.Errorf("UDP from A3 to %s: got %.40q, %v; want %q", to.name, got, err, want)
		}
		got, err = l.a3.askTCP(0, netip.AddrPortFrom(to.port.IP, 7), bulk)
		if want := to.name + " 192.168.1.12:"; err != nil || !strings.HasPrefix(got, want) {
			l.t.Errorf("TCP from A3 to %s: got %.40q, %v; want %q", to.name, got, err, want)
		}
	}
}
