package loop

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// BenchmarkIdleConnection counts what a connection that has had a request and carries
// nothing keeps of the live heap and of stacks. (A process grows by less: it uses first
// what its heap holds free.)
func BenchmarkIdleConnection(b *testing.B) {
	for _, secure := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "TLS"}[secure], func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(idleConnections(b, secure), "B/conn")
			}
		})
	}
}

// idleConnections opens some at an engine of its own, and returns what each one keeps,
// in bytes.
func idleConnections(b *testing.B, secure bool) float64 {
	const most = 4000
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4)) // a loop, handshakes, and clients in system calls
	o := Options{Handler: ownAnswer{}}
	if secure {
		c, err := certs.Compile(certs.Spec{ID: "a", Names: []string{"a.example"}, Pairs: []tls.Certificate{enginetest.SelfSigned(b, "a.example")}})
		if err != nil {
			b.Fatal(err)
		}
		o.TLS = certs.NewServer(certs.Options{Secret: make([]byte, 32)}, time.Now())
		o.TLS.Use((&certs.Table{}).With(c))
	}
	e, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	ln, err := e.Listen(b.Context(), "127.0.0.1:0", nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	serve := e.Serve
	if secure {
		serve = e.ServeTLS
	}
	go func() { _ = serve(ln) }() // until the end of the benchmark
	var held []bare
	defer func() {
		for _, c := range held {
			_ = c.Close() // nothing of it is needed any more
		}
		ln.Close()
		_ = e.Shutdown(context.Background()) // the same
	}()
	to := &unix.SockaddrInet4{Port: ln.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}
	open := func(n int) {
		for range n {
			c, err := dialBare(to)
			if err != nil {
				b.Fatal(err)
			}
			held = append(held, c)
			if err := c.ask(secure); err != nil {
				b.Fatal(err)
			}
		}
	}
	open(100) // what the first ones need is not theirs
	before := live()
	open(most)
	return float64(live()-before) / most
}

// live is what the heap holds in use, and stacks.
func live() int64 {
	runtime.GC()
	runtime.GC() // what the first one found in pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// ownAnswer answers every request itself.
type ownAnswer struct{ exchange.Handler }

func (ownAnswer) OnRequest(x *exchange.Exchange) exchange.Verdict {
	return x.RespondBytes(200, "", []byte("ok"))
}
func (ownAnswer) OnDone(*exchange.Exchange, exchange.Record) {}

// bare is the client's side: a descriptor, and nothing on the heap.
type bare struct {
	fd       int
	net.Conn // none
}

func dialBare(to unix.Sockaddr) (bare, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return bare{}, err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return bare{}, err
	}
	return bare{fd: fd}, unix.Connect(fd, to)
}

func (c bare) ask(secure bool) error {
	var conn net.Conn = c
	if secure {
		conn = tls.Client(c, &tls.Config{ServerName: "a.example", InsecureSkipVerify: true})
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); err != nil {
		return err
	}
	var got strings.Builder
	for b := make([]byte, 1<<10); !strings.HasSuffix(got.String(), "\r\n\r\nok"); {
		n, err := conn.Read(b)
		if err != nil {
			return err
		}
		got.Write(b[:n])
	}
	return nil
}

func (c bare) Read(b []byte) (int, error) {
	n, err := unix.Read(c.fd, b)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(0, n), err
}

func (c bare) Write(b []byte) (int, error)    { return unix.Write(c.fd, b) }
func (c bare) Close() error                   { return unix.Close(c.fd) }
func (bare) SetWriteDeadline(time.Time) error { return nil }
