//go:build netns

package l4

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/link"
)

// A labGateway is a server behind the L4 node.
type labGateway struct {
	name     string
	stack    *link.Stack
	draining atomic.Bool
}

func (l *lab) gateway(i int) *labGateway {
	l.t.Helper()
	g := &labGateway{name: fmt.Sprintf("g%d", i), stack: labStack(l.t, false)}
	wire(l.t, g.stack, l.router, g.name, fmt.Sprintf("10.3.%d.2", i), fmt.Sprintf("10.3.%d.1", i), 1600, 1600)
	must(l.t, g.stack.NS().Do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.MTU, attrs.HardwareAddr = Tunnel, TunnelMTU, net.HardwareAddr{2, 0, 0, 0, 0x40, 0}
		nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer nl.Close()
		return nl.LinkAdd(&netlink.Vxlan{LinkAttrs: attrs, FlowBased: true, Port: TunnelPort})
	}))
	must(l.t, g.stack.SetUp(Tunnel, true))
	must(l.t, g.stack.Address("lo", netip.MustParsePrefix(labVIP+"/32")))
	must(l.t, g.stack.Address("lo", netip.MustParsePrefix(fmt.Sprintf("100.127.0.%d/32", i))))
	g.serve(l.t, fmt.Sprintf("100.127.0.%d:9092", i))
	return g
}

// serve answers probes, lines over TCP, and datagrams; each answer begins with
// the gateway's name and the client's address.
func (g *labGateway) serve(t *testing.T, status string) {
	t.Helper()
	var probes, tcp net.Listener
	var udp net.PacketConn
	must(t, g.stack.NS().Do(func() (err error) {
		if probes, err = net.Listen("tcp4", status); err != nil {
			return err
		}
		if tcp, err = net.Listen("tcp4", labVIP+":80"); err != nil {
			return err
		}
		udp, err = net.ListenPacket("udp4", labVIP+":443")
		return err
	}))
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if g.draining.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"state":"draining"}`)
		}
	})}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(probes) })
	wg.Go(func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { g.talk(c) })
			t.Cleanup(func() { c.Close() })
		}
	})
	wg.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(udpTo{udp, from}, "%s %s %s", g.name, from, buf[:n]) // a lost answer is the test's to find
		}
	})
	t.Cleanup(func() {
		server.Close()
		tcp.Close()
		udp.Close()
	})
}

type udpTo struct {
	net.PacketConn
	to net.Addr
}

func (u udpTo) Write(b []byte) (int, error) { return u.WriteTo(b, u.to) }

// talk answers each line; "big" is answered by a megabyte.
func (g *labGateway) talk(c net.Conn) {
	defer c.Close()
	in := bufio.NewScanner(c)
	for in.Scan() {
		rest := in.Text()
		if rest == "big" {
			rest = strings.Repeat("x", 1<<20)
		}
		if _, err := fmt.Fprintf(c, "%s %s %s\n", g.name, c.RemoteAddr(), rest); err != nil {
			return
		}
	}
}
