package loop

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// asker2 is a client of HTTP/2 that takes no memory for a request after the first.
type asker2 struct {
	conn    net.Conn
	request []byte // the frames of one
	stream  uint32
	in      []byte
	held    int
}

// newAsker2 says the preface, and makes the frames of a request of fields that the table
// knows from its first.
func newAsker2(t *testing.T, c net.Conn, body string, fields ...hpack.HeaderField) *asker2 {
	t.Helper()
	var block, first, again bytes.Buffer
	e := hpack.NewEncoder(&block)
	for _, w := range []*bytes.Buffer{&first, &again} {
		block.Reset()
		for _, f := range fields {
			_ = e.WriteField(f) // a Buffer takes all
		}
		fr := http2.NewFramer(w, nil)
		_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: body == ""})
		if body != "" {
			_ = fr.WriteData(1, true, []byte(body))
		}
	}
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	fr := http2.NewFramer(c, nil)
	if err := fr.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	if err := fr.WriteSettingsAck(); err != nil {
		t.Fatal(err)
	}
	a := &asker2{conn: c, request: first.Bytes(), stream: 1, in: make([]byte, 64<<10)}
	a.once(t)
	a.request = again.Bytes()
	return a
}

// frame is one of b, or nothing when it is not whole.
func frame(b []byte) (kind, flags byte, stream uint32, payload []byte, length int) {
	const head = 9 // bytes (RFC 9113, 4.1)
	if len(b) < head {
		return 0, 0, 0, nil, 0
	}
	if length = head + int(b[0])<<16 + int(b[1])<<8 + int(b[2]); len(b) < length {
		return 0, 0, 0, nil, 0
	}
	return b[3], b[4], binary.BigEndian.Uint32(b[5:]), b[head:length], length
}

// once asks on a new stream, and waits for a whole answer of 200 and hello.
func (a *asker2) once(t *testing.T) {
	for b := a.request; len(b) > 0; {
		_, _, _, _, n := frame(b)
		binary.BigEndian.PutUint32(b[5:], a.stream)
		b = b[n:]
	}
	if _, err := a.conn.Write(a.request); err != nil {
		t.Fatal(err)
	}
	for ended, ok, said := false, false, 0; !ended; {
		n, err := a.conn.Read(a.in[a.held:])
		if err != nil {
			t.Fatalf("stream %d: %v", a.stream, err)
		}
		a.held += n
		at := 0
		for {
			kind, flags, stream, payload, length := frame(a.in[at:a.held])
			if length == 0 {
				break
			}
			at += length
			if stream != a.stream {
				continue // of the connection
			}
			switch http2.FrameType(kind) {
			case http2.FrameHeaders:
				ok = ok || len(payload) > 0 && payload[0] == 0x88 // :status 200, of the static table
			case http2.FrameData:
				said += len(payload)
			case http2.FrameRSTStream:
				t.Fatalf("stream %d is reset", stream)
			}
			ended = ended || kind <= 1 && flags&1 != 0
		}
		a.held = copy(a.in, a.in[at:a.held])
		if ended && (!ok || said != len("hello")) {
			t.Fatalf("stream %d: an answer of 200: %v, with %d bytes, want hello", a.stream, ok, said)
		}
	}
	a.stream += 2
}

var asked2 = map[string]struct {
	method, body string
}{"get": {"GET", ""}, "post": {"POST", "hello"}}

func requestFields2(method string) []hpack.HeaderField {
	return []hpack.HeaderField{{Name: ":method", Value: method}, {Name: ":scheme", Value: "http"}, {Name: ":authority", Value: "shop.example"}, {Name: ":path", Value: "/a/b?c=d"}, {Name: "user-agent", Value: "t"}, {Name: "accept", Value: "*/*"}}
}

func TestRequestPathOfHTTP2DoesNotAllocate(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4)) // a waiting loop keeps one
	one, two := parrot(t, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"), parrot2(t)
	for way, pool := range map[string]exchange.Pool{
		"to HTTP/1.1": {Address: one, IdleConns: 8, IdleTimeout: time.Minute},
		"to HTTP/2":   {Address: two, HTTP2: true, IdleConns: 8, IdleTimeout: time.Minute},
	} {
		_, addr := startLoops(t, Options{Handler: &plain{&exchange.Target{Name: way, Pool: pool}}, HTTP2: true})
		for name, q := range asked2 {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.SetDeadline(time.Now().Add(time.Minute)) // sockets take them
			a := newAsker2(t, c, q.body, requestFields2(q.method)...)
			mayAllocate(t, name+" "+way, 0, 0, func() { a.once(t) })
			c.Close()
		}
	}
}

// TestRequestPathOfHTTP2OverTLSAllocatesWhatTheLibraryDoes, as that of HTTP/1.1.
func TestRequestPathOfHTTP2OverTLSAllocatesWhatTheLibraryDoes(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4)) // a waiting loop keeps one
	s := certs.NewServer(certs.Options{Protocols: []string{"h2"}}, time.Now())
	p, err := certs.Compile(certs.Spec{ID: "a", Names: []string{"a"}, Pairs: []tls.Certificate{enginetest.SelfSigned(t, "a")}})
	if err != nil {
		t.Fatal(err)
	}
	s.Use((&certs.Table{}).With(p))
	target := parrot(t, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
	h := &plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, IdleConns: 8, IdleTimeout: time.Minute}}}
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true, TLS: s})
	for name, q := range asked2 {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, ServerName: "a", NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute)) // sockets take them
		fields := requestFields2(q.method)
		fields[1].Value = "https"
		a := newAsker2(t, c, q.body, fields...)
		mayAllocate(t, name, librarysTimes, librarysSize, func() { a.once(t) })
		c.Close()
	}
}
