package protocol

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// A wsFrame is one frame of RFC 6455 5.2.
type wsFrame struct {
	op      byte // 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong
	more    bool // further fragments follow
	masked  bool
	payload string
}

// Opcodes.
const (
	wsText, wsBinary, wsClose, wsPing, wsPong = 1, 2, 8, 9, 10
)

// maxFrameBytes is the longest payload that is read.
const maxFrameBytes = 8 << 20

// encode is the frame as it goes onto the connection.
func (f wsFrame) encode() []byte {
	b := []byte{f.op | 0x80}
	if f.more {
		b[0] = f.op
	}
	mask := byte(0)
	if f.masked {
		mask = 0x80
	}
	switch n := len(f.payload); {
	case n < 126:
		b = append(b, mask|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mask|127), uint64(n))
	}
	if !f.masked {
		return append(b, f.payload...)
	}
	key := [4]byte{1, 2, 3, 4} // any will do: nobody hides anything here
	b = append(b, key[:]...)
	for i := range len(f.payload) {
		b = append(b, f.payload[i]^key[i%4])
	}
	return b
}

func readFrame(r io.Reader) (wsFrame, error) {
	var h [2]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return wsFrame{}, err
	}
	f := wsFrame{op: h[0] & 0x0f, more: h[0]&0x80 == 0, masked: h[1]&0x80 != 0}
	n := uint64(h[1] & 0x7f)
	if n >= 126 {
		ext := make([]byte, map[uint64]int{126: 2, 127: 8}[n])
		if _, err := io.ReadFull(r, ext); err != nil {
			return f, err
		}
		n = 0
		for _, c := range ext {
			n = n<<8 | uint64(c)
		}
	}
	if n > maxFrameBytes {
		return f, fmt.Errorf("a frame of %d bytes", n)
	}
	var key [4]byte
	if f.masked {
		if _, err := io.ReadFull(r, key[:]); err != nil {
			return f, err
		}
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return f, err
	}
	for i := range b {
		b[i] ^= key[i%4]
	}
	f.payload = string(b)
	return f, nil
}

// wsKey and its answer are those of RFC 6455 1.3.
const wsKey = "dGhlIHNhbXBsZSBub25jZQ=="

func wsAccept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// wsServer upgrades every request that asks for it and serves the connection; a
// nil serve returns each message, answers pings and closes as it is closed.
// Anything else is echoed as HTTP.
func wsServer(serve func(net.Conn, io.Reader)) raw.Script {
	if serve == nil {
		serve = wsEcho
	}
	return func(b *raw.Backend, r raw.Request) raw.Answer {
		if r.Fields.Get("Upgrade") != "websocket" || !r.Fields.Lists("Connection", "Upgrade") {
			return b.Echo(r)
		}
		return raw.Answer{
			Bytes: b.Head(r, 101, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: "+wsAccept(r.Fields.Get("Sec-WebSocket-Key"))),
			Then: func(c net.Conn, rest []byte) {
				serve(c, io.MultiReader(bytes.NewReader(rest), c))
			},
		}
	}
}

func wsEcho(c net.Conn, r io.Reader) {
	for {
		f, err := readFrame(r)
		if err != nil || !f.masked { // a frame of a client is masked when nobody touched it
			return
		}
		f.masked = false
		if f.op == wsPing {
			f.op = wsPong
		}
		if _, err := c.Write(f.encode()); err != nil || f.op == wsClose {
			return
		}
	}
}

// A wsConn is the client's side.
type wsConn struct {
	*raw.Conn
	t *spec.T
}

// wsRequest asks for the upgrade.
func wsRequest(host string) string {
	return get(host, "/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+wsKey+"\r\n")
}

// wsDial upgrades a connection. Not getting it ends the case.
func wsDial(ctx context.Context, t *spec.T) wsConn { return wsDialAt(ctx, t, t.Host()) }

// wsDialAt is wsDial for another host.
func wsDialAt(ctx context.Context, t *spec.T, host string) wsConn {
	c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
	r := c.Do(ctx, wsRequest(host))
	if !r.Mine() || r.Reply.Status != 101 {
		t.Fatalf("the upgrade: got %s, want 101 from the backend (op %s)", r, r.Op.ID)
	}
	if got := r.Reply.Header.Get("Sec-WebSocket-Accept"); got != wsAccept(wsKey) {
		t.Fatalf("the upgrade: got Sec-WebSocket-Accept %q, want %q (op %s)", got, wsAccept(wsKey), r.Op.ID)
	}
	return wsConn{c, t}
}

// send sends a frame as clients do.
func (c wsConn) send(f wsFrame) {
	f.masked = true
	if err := c.Write(string(f.encode())); err != nil {
		c.t.Fatalf("send a frame: %v", err)
	}
}

// gets wants this frame to be the next one.
func (c wsConn) gets(want wsFrame) {
	_ = c.SetReadDeadline(time.Now().Add(raw.Patience)) // fails only where reading fails
	f, err := readFrame(c.Buffered())
	if err != nil {
		c.t.Fatalf("want %s, got %v", want, err)
	}
	if f != want {
		c.t.Fatalf("want %s, got %s", want, f)
	}
}

// ends wants the connection to end.
func (c wsConn) ends(ctx context.Context) {
	rest, ok := c.Ends(ctx)
	c.t.Check(ok && rest == "", "want the end of the connection, got %.50q, ended %t", rest, ok)
}

func (f wsFrame) String() string {
	return fmt.Sprintf("frame %d with %d bytes %.30q, more %t, masked %t", f.op, len(f.payload), f.payload, f.more, f.masked)
}
