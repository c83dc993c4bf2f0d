package h2

import (
	"flag"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

var serveAt = flag.String("serve", "", "serve on this address until interrupted, instead of testing: for h2spec -h ... -p ...")

func TestMain(m *testing.M) {
	flag.Parse()
	if *serveAt != "" {
		ln, err := net.Listen("tcp", *serveAt)
		if err != nil {
			log.Fatal(err)
		}
		serve(ln, Options{}, nil)
	}
	os.Exit(m.Run())
}

// serve drives connections of ln with goroutines until it is closed. seen, if not nil,
// is given each connection.
func serve(ln net.Listener, o Options, seen func(*netConn)) {
	for {
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		t := &netConn{nc: nc}
		t.cond.L = &t.mu
		t.mu.Lock()
		o.Poison = true
		t.c = New(o).Conn(t, t)
		t.mu.Unlock()
		if seen != nil {
			seen(t)
		}
		go t.read()
		go t.write()
	}
}

// netConn is a connection of the test's server, and what it answers.
type netConn struct {
	nc   net.Conn
	mu   sync.Mutex
	cond sync.Cond
	c    *Conn
	out  []byte
	busy int // bytes that are being written
	over bool
	most int // bytes that waited at most
	errs []error
}

func (t *netConn) Room() []byte { return t.out }
func (t *netConn) Waiting() int { return len(t.out) + t.busy }
func (t *netConn) Take(b []byte) {
	t.out = b
	t.most = max(t.most, t.Waiting())
	t.cond.Broadcast()
}

func (t *netConn) read() {
	var held []byte
	buf := make([]byte, 32<<10)
	for {
		n, err := t.nc.Read(buf)
		held = append(held, buf[:n]...)
		t.mu.Lock()
		for len(held) > 0 && !t.over {
			fed := append([]byte(nil), held...)
			k, ferr := t.c.Feed(int64(time.Since(zero)), fed)
			for i := range fed {
				fed[i] = 0xDB // views have ended
			}
			held = held[k:]
			if ferr != nil {
				t.errs = append(t.errs, ferr)
				t.over = true
			}
			if t.c.Wants() {
				break
			}
			t.cond.Wait()
		}
		if err != nil {
			t.over = true
			t.c.Cut()
		}
		over := t.over || t.c.Done()
		t.cond.Broadcast()
		t.mu.Unlock()
		if over && err == nil { // what the client sent must be read, or it sees no GOAWAY
			_ = t.nc.SetReadDeadline(time.Now().Add(time.Second))
			for err == nil {
				_, err = t.nc.Read(buf)
			}
		}
		if err != nil {
			t.nc.Close()
			return
		}
	}
}

var zero = time.Now().Add(-time.Hour)

func (t *netConn) write() {
	var b []byte
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		for len(t.out) == 0 {
			if t.over || t.c.Done() {
				if tc, ok := t.nc.(*net.TCPConn); ok {
					_ = tc.CloseWrite()
				}
				return
			}
			t.cond.Wait()
		}
		b, t.out = t.out, b[:0]
		t.busy = len(b)
		t.mu.Unlock()
		_, err := t.nc.Write(b)
		t.mu.Lock()
		t.busy = 0
		if err != nil {
			t.over = true
			t.c.Cut()
			t.cond.Broadcast()
			t.nc.Close()
			return
		}
		t.c.Sent()
		t.cond.Broadcast()
	}
}

// A job is a request that is being answered.
type job struct {
	x        exchange.Exchange
	rest     []byte // that the client has to take
	make     int    // bytes to make
	made     int
	whole    bool // no more comes from the client
	echo     bool
	trailers exchange.Fields
}

func (t *netConn) Open(s *Stream) *exchange.Exchange {
	j := &job{}
	s.State = j
	j.x.Reset(0, nil)
	return &j.x
}

// Request answers by the path: /echo sends the body back, with its trailers; /make/N
// makes N bytes; /never waits; /early says hello at once, everything else when the
// whole request has come.
func (t *netConn) Request(s *Stream, h Head) {
	j := s.State.(*job)
	if h.Expect {
		s.Interim(100, nil, nil)
	}
	path := j.x.Request.Path
	fields := exchange.Fields{{Name: "Content-Type", Value: "text/plain"}, {Name: "Server", Value: "us"}}
	length, size, isMake := NoLength, 0, false
	if n, ok := strings.CutPrefix(path, "/make/"); ok {
		size, _ = strconv.Atoi(n)
		isMake = true
		length = int64(size)
	}
	switch {
	case path == "/never":
		return
	case path == "/echo":
		j.echo, j.whole = true, h.End
		s.Answer(200, fields, nil, Answer{Length: NoLength, Trailer: exchange.Fields{{Name: "X-Sum"}}})
	case isMake:
		j.make = size
		s.Answer(200, fields, nil, Answer{Length: length})
	case h.End, path == "/early":
		t.hello(s, j)
		return
	default:
		return // see Data
	}
	j.whole = j.whole || isMake
	t.pump(s, j)
}

func (t *netConn) hello(s *Stream, j *job) {
	fields := exchange.Fields{{Name: "Content-Type", Value: "text/plain"}, {Name: "Server", Value: "us"}}
	head := j.x.Request.Method == "HEAD"
	s.Answer(200, fields, nil, Answer{Length: 6, End: head})
	j.rest, j.whole = []byte("hello\n"), true
	t.pump(s, j)
}

func (t *netConn) pump(s *Stream, j *job) {
	for j.make > 0 {
		room := min(s.Room(), j.make, 32<<10)
		if room == 0 {
			return
		}
		n := s.Data(pattern[j.made%16:][:room], j.make == room)
		j.make, j.made = j.make-n, j.made+n
		if s.Conn() == nil {
			return
		}
	}
	n := s.Data(j.rest, j.whole && j.trailers == nil)
	j.rest = j.rest[n:]
	if j.echo {
		s.Consumed(n)
	}
	if len(j.rest) == 0 && j.trailers != nil {
		s.End(j.trailers)
	}
}

var pattern = []byte(strings.Repeat("0123456789abcdef", 4<<10))

func (t *netConn) Data(s *Stream, b []byte, end bool) {
	j := s.State.(*job)
	if !j.echo {
		s.Consumed(len(b))
		if end && j.x.Request.Path != "/never" && j.make == 0 {
			t.hello(s, j)
		}
		return
	}
	j.whole = end
	j.rest = append(j.rest, b...)
	t.pump(s, j)
}

func (t *netConn) Trailers(s *Stream, f exchange.Fields) {
	j := s.State.(*job)
	j.whole, j.trailers = true, exchange.Fields{}
	for _, f := range f {
		j.trailers = append(j.trailers, exchange.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)})
	}
	if j.echo {
		t.pump(s, j)
		return
	}
	j.trailers = nil
	t.hello(s, j)
}

func (t *netConn) Refuse(s *Stream, why Reason) {
	if status := why.Status(); s != nil && status != 0 {
		s.Answer(status, nil, nil, Answer{End: true})
	}
}

func (t *netConn) Reset(s *Stream, _ Error) { s.State = nil }
func (t *netConn) Writable(s *Stream)       { t.pump(s, s.State.(*job)) }
