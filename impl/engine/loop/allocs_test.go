package loop

import (
	"bytes"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// plain forwards everything to one target, without allocating.
type plain struct{ target *exchange.Target }

func (p *plain) OnRequest(x *exchange.Exchange) exchange.Verdict {
	x.Own()
	x.RequestEdits = x.RequestEdits[:0]
	x.RequestEdits.Remove("Connection") // as the pipeline does
	x.RequestEdits.Remove("Expect")
	x.RequestEdits.Set("X-Forwarded-Proto", "http")
	return x.Forward(exchange.Plan{Target: p.target, Host: x.Request.Authority, Connect: time.Second, Send: time.Second, Read: time.Second})
}

func (p *plain) OnFailure(x *exchange.Exchange, f exchange.Failure) exchange.Verdict {
	if f.Kind == exchange.ClientGone {
		return exchange.Abort
	}
	return x.RespondBytes(502, "", nil)
}

func (p *plain) OnResponse(x *exchange.Exchange) exchange.Verdict {
	x.ResponseEdits = x.ResponseEdits[:0]
	x.ResponseEdits.Remove("Connection")
	x.ResponseEdits.Set("Server", "us")
	return exchange.Continue
}

func (p *plain) OnBody(_ *exchange.Exchange, b []byte, _ bool) []byte { return b }
func (p *plain) OnDone(*exchange.Exchange, exchange.Record)           {}

// reading is plain, and asks for the bodies of /read.
type reading struct{ plain }

func (r *reading) OnRequest(x *exchange.Exchange) exchange.Verdict {
	if x.Request.Path == "/read" && x.Request.Body.State == exchange.BodyUnread {
		return x.Collect(100, nil)
	}
	return r.plain.OnRequest(x)
}

// parrot answers every request with the same bytes.
func parrot(t testing.TB, answer string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
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
			go func() {
				defer c.Close()
				buf, out, held := make([]byte, 64<<10), []byte(answer), 0
				for {
					n, err := c.Read(buf[held:])
					if err != nil {
						return
					}
					if held += n; !bytes.HasSuffix(buf[:held], []byte("\r\n\r\n")) && !bytes.HasSuffix(buf[:held], []byte("hello")) {
						continue
					}
					held = 0
					if _, err := c.Write(out); err != nil {
						return
					}
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// allocations are those of the whole program for one run of f, and their bytes.
// testing.AllocsPerRun leaves one processor, which a waiting loop keeps for 5 ms at a
// time.
func allocations(runs int, f func()) (times, size float64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(runs), float64(after.TotalAlloc-before.TotalAlloc) / float64(runs)
}

// mayAllocate is the gate of the request path: when buffers, pools and stacks have come
// to be, a run of f allocates so many times and so many bytes. What the program does
// beside it is allowed for: a tenth of a time, and 256 bytes.
func mayAllocate(t *testing.T, name string, times, size float64, f func()) {
	t.Helper()
	for range 100 {
		f()
	}
	runs := 2000
	if raceEnabled { // which nobody judges
		runs = 100
	}
	n, b := allocations(runs, f)
	t.Logf("%s: %.3f allocations of %.1f bytes in all for a request", name, n, b)
	if (n >= times+0.1 || b >= size+256) && !raceEnabled {
		t.Errorf("%s: %.2f allocations of %.0f bytes in all for a request, want %v of %v", name, n, b, times, size)
	}
}

func TestRequestPathDoesNotAllocate(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4)) // a waiting loop keeps one
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
	target := parrot(t, answer)
	h := &reading{plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, IdleConns: 8, IdleTimeout: time.Minute}}}}
	_, addr := startLoops(t, Options{Handler: h})
	for name, request := range map[string]string{
		"get":  "GET /a/b?c=d HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: t\r\nAccept: */*\r\n\r\n",
		"post": "POST /a/b HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhello",
		"read": "POST /read HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhello",
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		out, in := []byte(request), make([]byte, 4096)
		once := func() {
			if _, err := c.Write(out); err != nil {
				t.Fatal(err)
			}
			for got := 0; !bytes.HasSuffix(in[:got], []byte("hello")); {
				n, err := c.Read(in[got:])
				if err != nil || n == 0 {
					t.Fatalf("%s: %v after %q", name, err, in[:got])
				}
				got += n
			}
		}
		mayAllocate(t, name, 0, 0, once)
		c.Close()
	}
}
