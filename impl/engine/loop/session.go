package loop

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// sealedSize is how much a loop reads at once of what is encrypted. Decrypted, with
	// the rest of a record from before, it fits into the loop's read buffer.
	sealedSize = 32 << 10
	// sealAtOnce is how much is encrypted before it is written.
	sealAtOnce = 64 << 10
)

// A session is the TLS of a connection: crypto/tls over memory. On the loop it decrypts
// what has come and encrypts what is to be sent, and never waits. Only its handshake
// waits, and is made by a goroutine (see handshake.go).
//
// It rests on two properties of crypto/tls: an error of the connection that is a
// temporary net.Error does not end a Read for good, and Read and Write do nothing but
// read from the connection and write to it. session_test.go holds them for each
// release of Go.
type session struct {
	s     *sock
	conn  *tls.Conn
	mem   memory
	shake *handshake // under way; nil: done

	plain   []byte // to be encrypted, from plainAt
	plainAt int
	dry     bool // the kernel has nothing more before the next edge
	ended   bool // the peer has said that it sends no more
	parted  bool // we have
}

// memory is what crypto/tls takes for the network.
type memory struct {
	in, out []byte
	shake   *handshake // that waits for more; nil: what is there is all
	line    net.Conn   // all goes there; nil after the handshake with a target
	records records    // of all that the library was given, or will be
}

// errNothing says that nothing is there to be read now.
var errNothing net.Error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing to read now" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

func (m *memory) Read(b []byte) (int, error) {
	if m.line != nil {
		n, err := m.line.Read(b)
		m.records.see(b[:n])
		return n, err
	}
	if len(m.in) == 0 {
		if m.shake == nil {
			return 0, errNothing
		}
		in, err := m.shake.more(m)
		if err != nil {
			return 0, err
		}
		m.in = in
	}
	n := copy(b, m.in)
	m.in = m.in[n:]
	return n, nil
}

func (m *memory) Write(b []byte) (int, error) {
	if m.line != nil {
		return m.line.Write(b)
	}
	m.out = append(m.out, b...)
	return len(b), nil
}

// Close ends a handshake with a target that takes too long.
func (m *memory) Close() error {
	if m.line != nil {
		return m.line.Close()
	}
	return nil
}

func (*memory) LocalAddr() net.Addr              { return nil }
func (*memory) RemoteAddr() net.Addr             { return nil }
func (*memory) SetDeadline(time.Time) error      { return nil }
func (*memory) SetReadDeadline(time.Time) error  { return nil }
func (*memory) SetWriteDeadline(time.Time) error { return nil }

// read decrypts into b what the kernel has.
func (t *session) read(b []byte) (int, syscall.Errno) {
	defer t.own()
	got := 0
	for got < len(b) {
		n, err := t.conn.Read(b[got:])
		got += n
		if len(t.mem.out) > 0 { // an alert, or new keys
			t.s.sendNow(t.mem.out)
			t.mem.out = nil
			if len(t.s.out)-t.s.outAt > highWater { // of a peer that asks for new keys and reads nothing
				return -1, unix.EPROTO
			}
		}
		if err == nil {
			if got < len(b) && t.mem.records.used() {
				t.s.readable = !t.dry // without asking the library once more
				return got, 0
			}
			if got > 0 && t.s.l.tired() {
				break // the rest is the next batch's: the socket stays readable
			}
			continue
		}
		if errors.Is(err, errNothing) {
			t.mem.records.due = 0
			if got > 0 {
				return got, 0
			}
			if n, e := t.fill(); n <= 0 {
				return n, e
			}
			continue
		}
		t.ended = t.ended || errors.Is(err, io.EOF)
		if !t.ended && got == 0 {
			return -1, unix.EPROTO
		}
		break // what else it says is found again
	}
	return got, 0
}

// own copies what the library has not taken: it lies in the loop's buffer, which the
// next socket uses.
func (t *session) own() {
	if len(t.mem.in) > 0 {
		t.mem.in = bytes.Clone(t.mem.in)
	}
}

// fill takes what the kernel has. Nothing without an error is the end.
func (t *session) fill() (int, syscall.Errno) {
	if t.dry {
		return -1, unix.EAGAIN
	}
	b := t.s.l.sealed
	n, e := read(t.s.fd, b)
	if e != 0 {
		return -1, e
	}
	t.dry = n > 0 && n < len(b) && !t.s.ended
	t.mem.in = b[:n]
	t.s.l.spent += recordCost * t.mem.records.see(b[:n])
	return n, 0
}

// recordCost is what a record costs beside its bytes, in bytes that a batch may read:
// one may hold a single byte, or ask for new keys.
const recordCost = 1 << 10

// records counts those that the library was given whole, to know when it has none left:
// to be told so by it costs as much as a small record does.
type records struct {
	due  int // less those whose content it has returned
	head [5]byte
	have int // of the head of the next one
	left int // of the one that is coming
}

const recordHead = 5 // bytes: type, version, length (RFC 8446, 5.1)

// see takes bytes and returns how many records end in them.
func (r *records) see(b []byte) (ended int) {
	for len(b) > 0 {
		if r.left == 0 {
			n := copy(r.head[r.have:], b)
			r.have, b = r.have+n, b[n:]
			if r.have < recordHead {
				return ended
			}
			r.have, r.left = 0, int(r.head[3])<<8|int(r.head[4])
		}
		n := min(r.left, len(b))
		r.left, b = r.left-n, b[n:]
		if r.left == 0 {
			r.due++
			ended++
		}
	}
	return ended
}

// partial tells whether the library holds a record, or a part of one, that it has not
// returned.
func (r *records) partial() bool { return r.left > 0 || r.have > 0 || r.due != 0 }

// used counts one whose content was returned, and tells whether that was the last.
// Others, which return nothing, only make it say no.
func (r *records) used() bool {
	r.due--
	return r.due == 0
}

// waiting is how many bytes are to be encrypted.
func (t *session) waiting() int { return len(t.plain) - t.plainAt }

// room and take are those of the socket.
func (t *session) room() []byte {
	if t.plain == nil {
		t.plain = t.s.l.buffer()
	}
	return t.plain
}

// send encrypts b now or at the end of the batch.
func (t *session) send(b []byte) {
	if len(b) < bigWrite || t.s.blocked {
		t.s.take(append(t.room(), b...))
		return
	}
	before := t.plain[t.plainAt:]
	for {
		piece := b[:min(len(b), sealAtOnce)]
		t.seal(before, piece)
		t.release()
		before, b = nil, b[len(piece):]
		if len(b) == 0 || !t.s.open() || t.s.failed != 0 {
			return
		}
		if t.s.blocked {
			t.plain = append(t.room(), b...)
			return
		}
	}
}

// flush encrypts what waits, as far as the kernel takes it, and tells whether it took
// all.
func (t *session) flush() bool {
	for t.waiting() > 0 && !t.s.blocked {
		piece := t.plain[t.plainAt:min(len(t.plain), t.plainAt+sealAtOnce)]
		t.plainAt += len(piece)
		t.seal(piece, nil)
		if t.s.failed != 0 {
			return false
		}
	}
	if t.waiting() > 0 || t.s.blocked {
		return false
	}
	t.release()
	return true
}

// seal encrypts two slices and has them written as one.
func (t *session) seal(a, b []byte) {
	l := t.s.l
	t.mem.out = l.sealing[:0]
	var err error
	for _, p := range [2][]byte{a, b} {
		if len(p) > 0 && err == nil {
			_, err = t.conn.Write(p)
		}
	}
	sealed := t.mem.out
	l.sealing, t.mem.out = sealed[:0], nil
	if err != nil { // an alert has ended the session
		t.s.writeFailed(unix.EPIPE)
		return
	}
	t.s.sendNow(sealed)
}

func (t *session) release() {
	if t.plain != nil {
		t.s.l.giveBack(t.plain)
		t.plain, t.plainAt = nil, 0
	}
}

// part says to the peer that no more will be sent (RFC 8446, 6.1). It returns false
// when that was said before.
func (t *session) part() bool {
	if t.parted || t.shake != nil {
		return false
	}
	t.parted = true
	if t.conn.CloseWrite() != nil { // no session, or a broken one
		return false
	}
	t.s.keep(t.mem.out)
	t.mem.out = nil
	t.s.mark()
	return true
}
