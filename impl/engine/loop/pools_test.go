package loop

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// among sends each request to the target that its path names.
type among struct {
	plain
	targets map[string]*exchange.Target
	connect time.Duration
}

func (a *among) OnRequest(x *exchange.Exchange) exchange.Verdict {
	return x.Forward(exchange.Plan{Target: a.targets[x.Request.Path], Host: x.Request.Authority, Connect: a.connect, Send: time.Minute, Read: time.Minute})
}

func TestConnectingEndsWithItsExchange(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() { // a target that never answers the hello
		c, err := ln.Accept()
		if err != nil {
			return
		}
		close(begun)
		_, _ = io.Copy(io.Discard, c)
		c.Close()
		close(ended)
	}()
	target := &exchange.Target{Name: "t", Pool: exchange.Pool{Address: ln.Addr().String(), TLS: true, ServerName: "t", IdleConns: 1, IdleTimeout: time.Minute}}
	h := &among{targets: map[string]*exchange.Target{"/": target}, connect: time.Hour}
	_, addr := startLoops(t, Options{Handler: h})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-begun
	c.Close()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the connection to the target is still being made, 20 s after its client has gone")
	}
}

func TestIdleConnectionsOfAllPoolsAreBounded(t *testing.T) {
	const targets, most = 6, 3
	h := &among{targets: map[string]*exchange.Target{}, connect: time.Minute}
	for i := range targets { // of HTTP/1.1 and HTTP/2 in turn
		serve, two := answering, i%2 == 1
		if two {
			serve = answering2
		}
		at := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
		h.targets[fmt.Sprintf("/%d", i)] = &exchange.Target{Name: at, Pool: exchange.Pool{Address: at, HTTP2: two, IdleConns: 8, IdleTimeout: time.Minute}}
	}
	e, addr := startLoops(t, Options{Handler: h})
	l := e.loops[0]
	if err := l.ask(func() error { l.mostIdle = most; return nil }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for i := range targets {
			resp, err := http.Get(fmt.Sprintf("http://%s/%d", addr, i))
			if got := whole(t, resp, err); got != "ok" {
				t.Fatalf("target %d: %q", i, got)
			}
		}
	}
	err := l.ask(func() error {
		var to []string
		for _, s := range l.socks {
			if s == nil {
				continue
			}
			switch o := s.owner.(type) {
			case *upstream:
				to = append(to, o.pool.key.Address)
			case *trunk:
				to = append(to, o.pool.key.Address)
			}
		}
		if len(to) != most || l.idle.n != most {
			t.Errorf("%d connections to targets are open and idle, %d are counted, want %d", len(to), l.idle.n, most)
		}
		for i := range targets - most {
			if at := h.targets[fmt.Sprintf("/%d", i)].Name; slices.Contains(to, at) {
				t.Errorf("target %d, asked longest ago, has kept its connection", i)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// answering2 is answering over HTTP/2.
func answering2(t *testing.T, f http.HandlerFunc) string { return target2(t, f, nil) }

func TestPoolsAreBoundedAndThoseInUseComeBack(t *testing.T) {
	const most = 4
	at := answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	h := &among{targets: map[string]*exchange.Target{}, connect: time.Minute}
	target := func(generation int) *exchange.Target { // of a pool of its own
		return &exchange.Target{Name: at, Pool: exchange.Pool{Address: at, Generation: int64(generation), IdleConns: 1, IdleTimeout: time.Minute}}
	}
	for i := range 3 * most {
		h.targets[fmt.Sprintf("/%d", i)] = target(i)
	}
	e, addr := startLoops(t, Options{Handler: h})
	l := e.loops[0]
	if err := l.ask(func() error { l.mostPools = most; return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range 3 * most { // each keeps a connection, as long as there is room
		resp, err := http.Get(fmt.Sprintf("http://%s/%d", addr, i))
		if got := whole(t, resp, err); got != "ok" {
			t.Fatalf("target %d: %q", i, got)
		}
	}
	err := l.ask(func() error {
		if len(l.pools) != most || l.idle.n != most {
			t.Errorf("%d pools with %d idle connections, want %d of each", len(l.pools), l.idle.n, most)
		}
		// One whose connection is in use when pools are forgotten takes it back.
		var p *pool
		for _, p = range l.pools {
			break
		}
		u := p.take()
		l.forgot = 0
		l.forget()
		if !p.forgotten || l.pools[p.key] != nil {
			t.Error("a pool that holds nothing was not forgotten")
		}
		p.keep(u)
		if p.forgotten || l.pools[p.key] != p || p.idle.n != 1 {
			t.Error("a pool did not come back with its connection")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBeginningsOfHeadsCostLittle(t *testing.T) {
	const clients = 50
	e, addr := startLoops(t, Options{Handler: &plain{}})
	for range clients {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHos"); err != nil {
			t.Fatal(err)
		}
	}
	l, held, deadline := e.loops[0], 0, time.Now().Add(20*time.Second)
	for n := 0; n < clients; {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d beginnings have come", n, clients)
		}
		if err := l.ask(func() error {
			n, held = 0, 0
			for c := range l.clients {
				if len(c.in) > 0 {
					n, held = n+1, held+cap(c.in)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if held > clients*smallSize {
		t.Errorf("%d beginnings of heads hold %d bytes, want at most %d each", clients, held, smallSize)
	}
}
