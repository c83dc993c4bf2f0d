package cases

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/conformance/cases/framed"
)

// A multiplexer speaks HTTP/2 by the library, with a sieve between it and its clients:
// what the library takes and should not is refused there, and a bug mends there what the
// library would refuse.
type multiplexer struct {
	http.Server
	come   chan net.Conn
	closed chan struct{}
}

type sieveKey struct{}

// startHTTP2 has another multiplexer take the connections that come from now on.
func (g *reference) startHTTP2() {
	m := &multiplexer{come: make(chan net.Conn), closed: make(chan struct{})}
	m.Protocols, m.HTTP2, m.ErrorLog, m.ReadHeaderTimeout = new(http.Protocols), &http.HTTP2Config{}, log.New(io.Discard, "", 0), time.Minute
	m.Protocols.SetUnencryptedHTTP2(true)
	if g.is("counts nothing") {
		m.HTTP2.MaxConcurrentStreams = 100_000
	}
	m.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, sieveKey{}, c) }
	h := g.byName(g.handler)
	m.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := r.Context().Value(sieveKey{}).(*sieve)
		r.TLS = s.state
		if g.is("one stream at a time") {
			s.turn.Lock()
			defer s.turn.Unlock()
		}
		h.ServeHTTP(w, r)
	})
	g.http2.Store(m)
	go func() { _ = m.Serve(sieves{m}) }() // until it is closed
}

// multiplex serves a connection and returns when it has ended.
func (g *reference) multiplex(_ *http.Server, c *tls.Conn, _ http.Handler) {
	s := newSieve(g, c)
	for m := g.http2.Load(); ; {
		select {
		case m.come <- s:
			<-s.over
			return
		case <-m.closed:
			next := g.http2.Load()
			if next == m {
				return
			}
			m = next
		}
	}
}

// sieves are the connections of a multiplexer.
type sieves struct{ m *multiplexer }

func (l sieves) Accept() (net.Conn, error) {
	select {
	case c := <-l.m.come:
		return c, nil
	case <-l.m.closed:
		return nil, net.ErrClosed
	}
}
func (l sieves) Close() error { close(l.m.closed); return nil }
func (sieves) Addr() net.Addr { return &net.TCPAddr{} }

// Sizes and limits of HTTP/2.
const (
	frameHead    = 9
	maxHeadBytes = 256 << 10 // of a field section
	maxIdleWork  = 1000      // frames and resets that bring nothing forward, of one connection
)

// A sieve is a connection of HTTP/2 that looks at every frame.
type sieve struct {
	net.Conn
	g      *reference
	state  *tls.ConnectionState
	turn   sync.Mutex // of a bug: one stream has it
	over   chan struct{}
	once   sync.Once
	ready  bytes.Buffer // for the library
	begun  bool         // the preface has come
	block  []byte       // of a head that is not complete
	first  frame        // its first frame
	dec    *hpack.Decoder
	enc    *hpack.Encoder
	packed bytes.Buffer
	idle   int
	out    []byte       // from the library, not a whole frame yet
	shut   atomic.Int64 // what was sent of bodies, less what the client has allowed since
}

type frame struct {
	kind    http2.FrameType
	flags   http2.Flags
	id      uint32
	payload []byte
}

func newSieve(g *reference, c *tls.Conn) *sieve {
	state := c.ConnectionState()
	s := &sieve{Conn: c, g: g, state: &state, over: make(chan struct{}), dec: hpack.NewDecoder(4096, nil)}
	s.enc = hpack.NewEncoder(&s.packed)
	return s
}

var errFlood = errors.New("the client brings nothing forward")

// Close is Conn's, and lets go whoever waits for it.
func (s *sieve) Close() error {
	s.once.Do(func() { close(s.over) })
	return s.Conn.Close()
}

func (s *sieve) Read(b []byte) (int, error) {
	for s.ready.Len() == 0 {
		if err := s.more(); err != nil {
			_ = s.Close()
			return 0, err
		}
	}
	return s.ready.Read(b)
}

// more takes the preface, or one frame, from the client.
func (s *sieve) more() error {
	if !s.begun {
		s.begun = true
		_, err := io.CopyN(&s.ready, s.Conn, int64(len(http2.ClientPreface)))
		return err
	}
	head := make([]byte, frameHead)
	if _, err := io.ReadFull(s.Conn, head); err != nil {
		return err
	}
	f := frame{kind: http2.FrameType(head[3]), flags: http2.Flags(head[4]), id: binary.BigEndian.Uint32(head[5:])}
	f.payload = make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(s.Conn, f.payload); err != nil {
		return err
	}
	return s.taken(f)
}

func (s *sieve) taken(f frame) error {
	switch f.kind {
	case http2.FrameHeaders:
		s.first, s.block = f, nil
		return s.headed(f)
	case http2.FrameContinuation:
		return s.headed(f)
	case http2.FrameSettings, http2.FramePing, http2.FrameRSTStream:
		if s.idle++; s.idle > maxIdleWork && !s.g.is("counts nothing") {
			return errFlood
		}
	}
	if f.kind == http2.FrameWindowUpdate && f.id == 0 && len(f.payload) == 4 {
		s.shut.Add(-int64(binary.BigEndian.Uint32(f.payload)))
	}
	f.write(&s.ready)
	return nil
}

func (f frame) write(w *bytes.Buffer) {
	n := len(f.payload)
	w.Write([]byte{byte(n >> 16), byte(n >> 8), byte(n), byte(f.kind), byte(f.flags)})
	w.Write(binary.BigEndian.AppendUint32(nil, f.id))
	w.Write(f.payload)
}

// headed gathers a head and writes it anew when it is complete.
func (s *sieve) headed(f frame) error {
	s.block = append(s.block, f.payload...)
	switch {
	case len(s.block) > maxHeadBytes && s.g.is("gathers heads without end"):
		s.block = s.block[:maxHeadBytes]
	case len(s.block) > maxHeadBytes:
		return errFlood
	}
	if !f.flags.Has(http2.FlagHeadersEndHeaders) {
		return nil
	}
	fields, err := s.dec.DecodeFull(s.block)
	if err != nil {
		return err
	}
	s.packed.Reset()
	for _, h := range s.sifted(fields, s.first.flags.Has(http2.FlagHeadersEndStream)) {
		_ = s.enc.WriteField(h) // to a buffer
	}
	const most = 16 << 10
	b := s.packed.Bytes()
	out := frame{kind: http2.FrameHeaders, flags: s.first.flags &^ http2.FlagHeadersEndHeaders, id: s.first.id, payload: b[:min(len(b), most)]}
	for b = b[len(out.payload):]; len(b) > 0; b = b[len(out.payload):] {
		out.write(&s.ready)
		out = frame{kind: http2.FrameContinuation, id: s.first.id, payload: b[:min(len(b), most)]}
	}
	out.flags |= http2.FlagHeadersEndHeaders
	out.write(&s.ready)
	if s.g.is("ignores windows") {
		room := binary.BigEndian.AppendUint32(nil, 1<<20)
		frame{kind: http2.FrameWindowUpdate, id: s.first.id, payload: room}.write(&s.ready)
		frame{kind: http2.FrameWindowUpdate, payload: room}.write(&s.ready)
	}
	return nil
}

// sifted is a field section as the library gets it. What it should refuse and would
// not gets a field that it refuses.
func (s *sieve) sifted(fields []hpack.HeaderField, end bool) []hpack.HeaderField {
	fields = s.g.mended(fields)
	if len(fields) > 0 && strings.HasPrefix(fields[0].Name, ":") && !s.g.wellFormed(fields, end) {
		return append(fields, hpack.HeaderField{Name: "connection", Value: "close"})
	}
	return fields
}

func (g *reference) wellFormed(fields []hpack.HeaderField, end bool) bool {
	hosts := map[string]bool{}
	var lengths []string
	for _, f := range fields {
		switch f.Name {
		case ":method":
			if f.Value == "" || strings.ContainsAny(f.Value, " \r\n\x00") {
				return false
			}
		case ":path", ":authority":
			if strings.ContainsFunc(f.Value, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
				return false
			}
		case "content-length":
			lengths = append(lengths, f.Value)
		}
		if f.Name == ":authority" || f.Name == "host" {
			hosts[strings.ToLower(f.Value)] = true
		}
	}
	if len(hosts) > 1 || len(lengths) > 1 {
		return false
	}
	for _, text := range lengths {
		if n, err := strconv.ParseUint(text, 10, 63); err != nil || text[0] == '+' || end && n > 0 {
			return false
		}
	}
	return true
}

// mended is what a gateway makes of fields that it should refuse.
func (g *reference) mended(fields []hpack.HeaderField) []hpack.HeaderField {
	var pseudo, out []hpack.HeaderField
	seen := map[string]bool{}
	for _, f := range fields {
		switch {
		case g.is("drops fields of connections") && strings.Contains(" connection keep-alive proxy-connection upgrade te transfer-encoding ", " "+f.Name+" "),
			g.is("ignores lengths") && f.Name == "content-length",
			g.is("believes one of two hosts") && f.Name == "host" && seen[":authority"],
			g.is("mends pseudo fields") && (seen[f.Name] && strings.HasPrefix(f.Name, ":") || f.Name == ":status" || f.Name == ":proxy"):
			continue
		case g.is("mends names"):
			f.Name = mendedName(f.Name)
		case g.is("mends values"):
			f.Value = strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(f.Value)
		}
		seen[f.Name] = true
		if strings.HasPrefix(f.Name, ":") && g.is("mends pseudo fields") {
			pseudo = append(pseudo, f)
			continue
		}
		out = append(out, f)
	}
	if g.is("makes up a host") && seen[":method"] && !seen[":authority"] && !seen["host"] {
		pseudo = append(pseudo, hpack.HeaderField{Name: ":authority", Value: g.anyHost()})
	}
	return append(pseudo, out...)
}

func mendedName(name string) string {
	if strings.HasPrefix(name, ":") {
		return name
	}
	name = strings.Map(func(c rune) rune {
		if c <= ' ' || c >= 0x7f || c == ':' {
			return '-'
		}
		return c
	}, strings.ToLower(name))
	if name == "" {
		return "x"
	}
	return name
}

// anyHost is one that has a route.
func (g *reference) anyHost() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range g.objects {
		if h, ok := o.value["host"].(string); ok {
			return h
		}
	}
	return "a.example"
}

// Write looks at the frames of the library.
func (s *sieve) Write(b []byte) (int, error) {
	if !s.g.is("ends every answer with a body") && !s.g.is("never opens its windows") && !s.g.is("has heads wait for windows") {
		return s.Conn.Write(b)
	}
	var out bytes.Buffer
	for s.out = append(s.out, b...); len(s.out) >= frameHead; {
		n := frameHead + (int(s.out[0])<<16 | int(s.out[1])<<8 | int(s.out[2]))
		if len(s.out) < n {
			break
		}
		f := frame{kind: http2.FrameType(s.out[3]), flags: http2.Flags(s.out[4]), id: binary.BigEndian.Uint32(s.out[5:]), payload: s.out[frameHead:n]}
		switch {
		case s.g.is("has heads wait for windows") && f.kind == http2.FrameHeaders && s.shut.Load() >= framed.Window: // for ever
		case s.g.is("never opens its windows") && f.kind == http2.FrameWindowUpdate:
		case s.g.is("ends every answer with a body") && f.kind == http2.FrameHeaders && f.flags.Has(http2.FlagHeadersEndStream):
			f.flags &^= http2.FlagHeadersEndStream
			f.write(&out)
			frame{kind: http2.FrameData, flags: http2.FlagDataEndStream, id: f.id, payload: []byte("x")}.write(&out)
		default:
			if f.kind == http2.FrameData {
				s.shut.Add(int64(len(f.payload)))
			}
			f.write(&out)
		}
		s.out = s.out[n:]
	}
	if _, err := s.Conn.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(b), nil
}
