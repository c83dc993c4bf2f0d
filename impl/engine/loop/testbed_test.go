//go:build slow

package loop

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/exchange"
)

// fn is a handler of functions.
type fn struct {
	plan     exchange.Plan
	target   string
	tls      bool
	req      func(*exchange.Exchange) (exchange.Verdict, bool)
	filter   func([]byte, bool) []byte
	replay   int
	done     func(*exchange.Exchange, exchange.Record)
	mu       sync.Mutex
	failures []exchange.Failure
	records  []exchange.Record
}

func (h *fn) forward(x *exchange.Exchange) exchange.Verdict {
	x.Own()
	x.RequestEdits = x.RequestEdits[:0]
	x.RequestEdits.Remove("Connection")
	x.RequestEdits.Remove("Expect")
	p := h.plan
	if p.Connect == 0 {
		p.Connect = 5 * time.Second
	}
	if p.Send == 0 {
		p.Send = 5 * time.Second
	}
	if p.Read == 0 {
		p.Read = 5 * time.Second
	}
	p.Host, p.Upgrade = x.Request.Authority, x.Request.Upgrade != ""
	p.Target = &exchange.Target{Name: h.target, Pool: exchange.Pool{Address: h.target, TLS: h.tls, IdleConns: 8, IdleTimeout: time.Minute}}
	x.FilterBody = h.filter != nil
	if h.replay > 0 {
		x.ReplayLimit = h.replay
	}
	return x.Forward(p)
}

func (h *fn) OnRequest(x *exchange.Exchange) exchange.Verdict {
	if h.req != nil {
		if v, ok := h.req(x); ok {
			return v
		}
	}
	return h.forward(x)
}

func (h *fn) OnFailure(x *exchange.Exchange, f exchange.Failure) exchange.Verdict {
	h.mu.Lock()
	h.failures = append(h.failures, f)
	h.mu.Unlock()
	switch f.Kind {
	case exchange.ClientGone:
		return exchange.Abort
	case exchange.ClientTooBig:
		return x.RespondBytes(413, "", []byte("big"))
	}
	return x.RespondBytes(502, "", []byte("bad"))
}

func (h *fn) OnResponse(x *exchange.Exchange) exchange.Verdict {
	x.ResponseEdits = x.ResponseEdits[:0]
	x.ResponseEdits.Remove("Connection")
	if x.Response.Status == 101 {
		x.ResponseEdits = x.ResponseEdits[:0]
	}
	return exchange.Continue
}

func (h *fn) OnBody(_ *exchange.Exchange, b []byte, last bool) []byte { return h.filter(b, last) }

func (h *fn) OnDone(x *exchange.Exchange, r exchange.Record) {
	h.mu.Lock()
	h.records = append(h.records, r)
	h.mu.Unlock()
	if h.done != nil {
		h.done(x, r)
	}
}

func (h *fn) say() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprintf("records %+v failures %+v", h.records, h.failures)
}

// serve starts an engine whose connections have small buffers when sndbuf says so.
func serve(t *testing.T, o Options) (*Engine, string, func() chan error) {
	t.Helper()
	o.Poison = true
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := e.Listen(context.Background(), "127.0.0.1:0", nil, small)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- e.Serve(ln) }()
	t.Cleanup(func() {
		ln.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = e.Shutdown(ctx)
	})
	return e, ln.Addr().String(), func() chan error { ln.Close(); return served }
}

func small(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		if sndbuf > 0 {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, sndbuf)
		}
	})
}

// listen runs f for each connection.
func listen(t *testing.T, rcvbuf int, f func(net.Conn)) string {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			if rcvbuf > 0 {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, rcvbuf)
			}
		})
	}}
	ln, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go f(c)
		}
	}()
	return ln.Addr().String()
}

func dial(t *testing.T, addr string, rcvbuf int) net.Conn {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			if rcvbuf > 0 {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, rcvbuf)
			}
		})
	}}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

type zero struct{}

func (*zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type nobody struct{}

func (nobody) ready() {}
func (nobody) eof()   {}

func (nobody) moved() {}

func (nobody) sent() {}

func (nobody) broken(syscall.Errno) {}

func (nobody) late() {}

var sndbuf int

func slowReader(t *testing.T, how string, sizeK int, body, idle time.Duration) {
	sndbuf = 32 << 10
	defer func() { sndbuf = 0 }()
	size := 1000 * sizeK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b := make([]byte, 1000)
		for range sizeK {
			_, _ = w.Write(b)
		}
	}))
	defer s.Close()
	h := &fn{target: s.Listener.Addr().String()}
	_, addr, _ := serve(t, Options{Handler: h, BodyTimeout: body, IdleTimeout: idle})
	c := dial(t, addr, 8<<10)
	req := "GET / HTTP/1.1\r\nHost: h\r\n" + how + "\r\n"
	if how == "1.0" {
		req = "GET / HTTP/1.0\r\nHost: h\r\n\r\n"
	}
	_, _ = io.WriteString(c, req)
	br := bufio.NewReaderSize(c, 1<<10)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	begin := time.Now()
	for { // about 120 KB/s without a pause longer than 50 ms
		n, err := io.CopyN(io.Discard, resp.Body, 6_000)
		total += n
		if err != nil {
			if total != int64(size) {
				t.Errorf("%d of %d bytes, then %v after %s; %s", total, size, err, time.Since(begin), h.say())
			}
			return
		}
		<-time.After(50 * time.Millisecond)
	}
}

type gone struct{ fn }

func (g *gone) OnFailure(x *exchange.Exchange, f exchange.Failure) exchange.Verdict {
	return x.RespondBytes(499, "", []byte("gone"))
}

func listenSilent(t *testing.T) string {
	return listen(t, 0, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
}

func pattern(seed, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(b)
	return b
}

func one(t *testing.T, r *rand.Rand, addr string) {
	rcv := 0
	if r.IntN(2) == 0 {
		rcv = 4096 << r.IntN(5)
	}
	c := dial(t, addr, rcv)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(25 * time.Second))
	br := bufio.NewReader(c)
	type want struct {
		seed, n int
		body    []byte
		text    string
		head    bool
	}
	var ws []want
	for range 1 + r.IntN(4) {
		w := want{seed: r.IntN(60000), n: []int{0, 1, 100, 5000, 70_000, 300_000, 2_000_000, 8_000_000}[r.IntN(8)]}
		if w.n > 0 {
			w.n += r.IntN(w.n + 1)
		}
		q := fmt.Sprintf("/?seed=%d&n=%d", w.seed, w.n)
		if r.IntN(2) == 0 {
			q += "&cl=1"
		}
		if r.IntN(6) == 0 {
			q += "&close=1"
		}
		var buf bytes.Buffer
		switch r.IntN(4) {
		case 0:
			w.body = pattern(w.seed+1, r.IntN(400_000))
			fmt.Fprintf(&buf, "PUT %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", q, len(w.body))
			buf.Write(w.body)
		case 1:
			w.body = pattern(w.seed+1, r.IntN(400_000))
			fmt.Fprintf(&buf, "POST %s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", q)
			for b := w.body; len(b) > 0; {
				k := min(len(b), 1+r.IntN(30000))
				fmt.Fprintf(&buf, "%x\r\n%s\r\n", k, b[:k])
				b = b[k:]
			}
			buf.WriteString("0\r\n\r\n")
		case 2:
			w.head = r.IntN(3) == 0
			m := "GET"
			if w.head {
				m = "HEAD"
			}
			fmt.Fprintf(&buf, "%s %s HTTP/1.1\r\nHost: h\r\n\r\n", m, q)
		default:
			fmt.Fprintf(&buf, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", q)
		}
		w.text = buf.String()
		ws = append(ws, w)
	}
	pace := r.IntN(3)
	go func() {
		for _, w := range ws {
			b := []byte(w.text)
			for len(b) > 0 {
				k := min(len(b), 1+rand.IntN(100_000))
				if _, err := c.Write(b[:k]); err != nil {
					return
				}
				b = b[k:]
				if pace == 0 {
					<-time.After(time.Millisecond)
				}
			}
		}
	}()
	leave := r.IntN(10) == 0
	for i, w := range ws {
		m := "GET"
		if w.head {
			m = "HEAD"
		}
		if r.IntN(3) == 0 {
			<-time.After(time.Duration(r.IntN(100)) * time.Millisecond)
		}
		resp, err := http.ReadResponse(br, &http.Request{Method: m})
		if err != nil {
			t.Errorf("answer %d of %d: %v (%.60q)", i, len(ws), err, w.text)
			return
		}
		if leave {
			_, _ = io.CopyN(io.Discard, resp.Body, int64(w.n/2))
			if r.IntN(2) == 0 {
				_ = c.(*net.TCPConn).SetLinger(0)
			}
			return
		}
		var got bytes.Buffer
		for {
			k, err := io.CopyN(&got, resp.Body, int64(1+r.IntN(300_000)))
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("body %d of %d: %d of %d, +%d: %v (%.60q)", i, len(ws), got.Len(), w.n, k, err, w.text)
				return
			}
			if pace == 1 {
				<-time.After(time.Duration(r.IntN(8)) * time.Millisecond)
			}
		}
		if !w.head && !bytes.Equal(got.Bytes(), pattern(w.seed, w.n)) {
			t.Errorf("other bytes: %d of %d (%.60q)", got.Len(), w.n, w.text)
			return
		}
		want := fmt.Sprintf("%d %d <nil>", len(w.body), crc32.ChecksumIEEE(w.body))
		if resp.Header.Get("X-Sum") != want {
			t.Errorf("target got %q, want %q", resp.Header.Get("X-Sum"), want)
		}
		if resp.Close {
			if _, err := br.ReadByte(); err == nil {
				t.Error("bytes behind the last answer")
			}
			return
		}
	}
}
