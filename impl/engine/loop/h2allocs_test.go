package loop

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// parrot2 is parrot for HTTP/2: it answers each request that is whole with a head of a
// field, a body and a trailer.
func parrot2(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	var answer, credit bytes.Buffer
	fr := http2.NewFramer(&answer, nil)
	_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("\x88\x00\x05x-one\x011"), EndHeaders: true})
	_ = fr.WriteData(1, false, []byte("hello"))
	_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("\x00\x05x-sum\x0242"), EndHeaders: true, EndStream: true})
	_ = http2.NewFramer(&credit, nil).WriteWindowUpdate(0, 5)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				chatter(c, answer.Bytes(), credit.Bytes())
			}()
		}
	}()
	return ln.Addr().String()
}

// chatter answers the requests of a connection without taking memory.
func chatter(c net.Conn, answer, credit []byte) {
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	_ = http2.NewFramer(c, nil).WriteSettings()
	in, held := make([]byte, 64<<10), 0
	out := make([]byte, 0, 64<<10)
	for {
		n, err := c.Read(in[held:])
		if err != nil {
			return
		}
		held += n
		at := 0
		out = out[:0]
		for held-at >= 9 {
			size := int(in[at])<<16 | int(in[at+1])<<8 | int(in[at+2])
			if held-at < 9+size {
				break
			}
			kind, flags, stream := in[at+3], in[at+4], binary.BigEndian.Uint32(in[at+5:])
			if kind == 0 && size > 0 {
				out = append(out, credit...)
			}
			if kind <= 1 && flags&1 != 0 { // the end of a request
				from := len(out)
				out = append(out, answer...)
				for i := from; i < len(out); {
					binary.BigEndian.PutUint32(out[i+5:], stream)
					i += 9 + int(out[i])<<16 + int(out[i+1])<<8 + int(out[i+2])
				}
			}
			at += 9 + size
		}
		copy(in, in[at:held])
		held -= at
		if len(out) > 0 {
			if _, err := c.Write(out); err != nil {
				return
			}
		}
	}
}

func TestRequestPathToHTTP2DoesNotAllocate(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4)) // a waiting loop keeps one
	target := parrot2(t)
	h := &plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, HTTP2: true, IdleConns: 8, IdleTimeout: time.Minute}}}
	_, addr := startLoops(t, Options{Handler: h})
	for name, request := range map[string]string{
		"get":  "GET /a/b?c=d HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: t\r\nAccept: */*\r\n\r\n",
		"post": "POST /a/b HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhello",
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		out, in, end := []byte(request), make([]byte, 4096), []byte("\r\n0\r\nx-sum: 42\r\n\r\n")
		once := func() {
			if _, err := c.Write(out); err != nil {
				t.Fatal(err)
			}
			for got := 0; !bytes.HasSuffix(in[:got], end); {
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
