package enginetest

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A script is a target of which the test writes the frames. It is run for each
// connection, from its second frame on, and the connection ends when it returns.
type script func(n int, c *frames)

// frames is a connection of a script.
type frames struct {
	*http2.Framer
	t    *testing.T
	conn net.Conn
}

// DialHTTP2 is a client of HTTP/2 of which the test writes the frames, after its SETTINGS.
func DialHTTP2(t *testing.T, url string, settings ...http2.Setting) *http2.Framer {
	t.Helper()
	f, _ := dialHTTP2(t, url, settings...)
	return f
}

func dialHTTP2(t *testing.T, url string, settings ...http2.Setting) (*http2.Framer, net.Conn) {
	t.Helper()
	scheme, addr, _ := strings.Cut(url, "://")
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if scheme == "https" {
		conf := trusting.Clone()
		conf.NextProtos = []string{http2.NextProtoTLS}
		c = tls.Client(c, conf)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	f := http2.NewFramer(c, c)
	if err := f.WriteSettings(settings...); err != nil {
		t.Fatal(err)
	}
	return f, c
}

// Block is a header block of fields: a name, its value, and so on.
func Block(fields ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // a Buffer takes all
	}
	return b.Bytes()
}

// NextFrame returns the next frame of a stream.
func NextFrame(t *testing.T, c *http2.Framer, stream uint32) http2.Frame {
	t.Helper()
	for {
		f, err := c.ReadFrame()
		if err != nil {
			t.Fatalf("waiting for a frame of stream %d: %v", stream, err)
		}
		if f.Header().StreamID == stream {
			return f
		}
	}
}

// request reads frames until a request has come whole, and returns its stream.
func (c *frames) request() (stream uint32, ok bool) {
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return 0, false
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = c.WriteSettingsAck() // the next read fails where this does
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				_ = c.WritePing(true, f.Data)
			}
		case *http2.HeadersFrame:
			if f.StreamEnded() {
				return f.StreamID, true
			}
		case *http2.DataFrame:
			if f.StreamEnded() {
				return f.StreamID, true
			}
		}
	}
}

// rest reads until the other side ends the connection.
func (c *frames) rest() {
	for ok := true; ok; _, ok = c.request() {
	}
}

// The shortest heads: of status 200, and of one that is no number (RFC 7541, 6).
var (
	head200 = []byte{0x88}
	headBad = []byte{0x08, 0x03, 'o', 'k', '!'}
)

// answer sends a head and, unless body is empty, a body.
func (c *frames) answer(stream uint32, head []byte, body string, end bool) {
	_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: head, EndHeaders: true, EndStream: end && body == ""})
	if body != "" {
		_ = c.WriteData(stream, end, []byte(body)) // whoever is gone is seen by the next read
	}
}

// scripted is a target that follows a script, with n from 0 for its connections.
func (b bench) scripted(t *testing.T, s script) string {
	t.Helper()
	return FramedTarget(t, b.secure, func(n int, f *http2.Framer, c net.Conn) {
		_ = f.WriteSettings()
		s(n, &frames{Framer: f, t: t, conn: c})
	})
}

// FramedTarget is a target of HTTP/2, with TLS if secure, of which the test writes the
// frames: f is called for each connection, with n from 0, which ends when f returns.
func FramedTarget(t *testing.T, secure bool, f func(n int, fr *http2.Framer, c net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if secure {
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{SelfSigned(t, "a.example")}, NextProtos: []string{"h2"}})
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for n := 0; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(t.Context(), func() { c.Close() })
			go func() {
				defer stop()
				defer c.Close()
				if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err == nil {
					f(n, http2.NewFramer(c, c), c)
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// isRefusal tells the frame by which a malformed request is refused: a reset, or the head of
// an answer that says so, the first of its connection (RFC 9113, 8.1.1).
func isRefusal(f http2.Frame) bool {
	switch f := f.(type) {
	case *http2.RSTStreamFrame:
		return f.ErrCode == http2.ErrCodeProtocol
	case *http2.HeadersFrame:
		return hasStatus(f, "400")
	}
	return false
}

// hasStatus tells the status of the first answer of a connection, for which nothing else
// needs to be known of it.
func hasStatus(f *http2.HeadersFrame, status string) bool {
	head, err := hpack.NewDecoder(4096, nil).DecodeFull(f.HeaderBlockFragment())
	return err == nil && len(head) > 0 && head[0].Name == ":status" && head[0].Value == status
}
