package loop

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/engine/enginetest"
)

func securedA(t *testing.T) *certs.Server {
	t.Helper()
	s := certs.NewServer(certs.Options{}, time.Now())
	c, err := certs.Compile(certs.Spec{ID: "a", Names: []string{"a"}, Pairs: []tls.Certificate{enginetest.SelfSigned(t, "a")}})
	if err != nil {
		t.Fatal(err)
	}
	s.Use((&certs.Table{}).With(c))
	return s
}

// withheld keeps what TLS writes, while it is told to.
type withheld struct {
	net.Conn
	keep bool
	kept []byte
}

func (w *withheld) Write(b []byte) (int, error) {
	if w.keep {
		w.kept = append(w.kept, b...)
		return len(b), nil
	}
	return w.Conn.Write(b)
}

// dialA returns a session, and the connection below it.
func dialA(t *testing.T, addr string) (*withheld, *tls.Conn) {
	t.Helper()
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	_ = raw.SetDeadline(time.Now().Add(30 * time.Second)) // sockets take them
	w := &withheld{Conn: raw}
	c := tls.Client(w, &tls.Config{InsecureSkipVerify: true, ServerName: "a", DynamicRecordSizingDisabled: true})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	return w, c
}

// TestHalfARecordIsItsConnectionsOwn: what lies behind the first record waits for its
// other half, while another connection uses the buffer that it was read into.
func TestHalfARecordIsItsConnectionsOwn(t *testing.T) {
	begun := make(chan struct{}, 2)
	up := answering(t, func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})
	_, addr := startLoops(t, Options{Handler: enginetest.NewHandler(up), TLS: securedA(t)})
	below, a := dialA(t, addr)
	_, b := dialA(t, addr)
	body := bytes.Repeat([]byte("x"), 64<<10)
	fmt.Fprintf(a, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", len(body))
	<-begun
	below.keep = true
	_, _ = a.Write(body) // it is kept
	below.keep = false
	const record, some = 16406, 12000
	first := record + some
	if _, err := below.Conn.Write(below.kept[:first]); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(b, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\nConnection: close\r\n\r\n%s", body[:30000])
	if got, err := io.ReadAll(b); err != nil || !bytes.HasSuffix(got, []byte("30000 <nil>")) {
		t.Errorf("the other: %q %v", got, err)
	}
	if _, err := below.Conn.Write(below.kept[first:]); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(a); err != nil || !bytes.HasSuffix(got, []byte("65536 <nil>")) {
		t.Errorf("got %q %v, want that all of the body has come", got, err)
	}
}

func TestCutAnswerOverTLSHasNoProperEnd(t *testing.T) {
	up := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "part")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	_, addr := startLoops(t, Options{Handler: enginetest.NewHandler(up), TLS: securedA(t)})
	_, c := dialA(t, addr)
	fmt.Fprint(c, "GET / HTTP/1.0\r\nHost: a\r\n\r\n") // whose answers end with the connection
	if b, err := io.ReadAll(c); err == nil {
		t.Errorf("the client takes %q for a whole answer", b)
	}
}

// TestOutputOfWhichSomeAlwaysWaitsDoesNotGrow: messages are appended faster than the
// peer takes them, up to a mark.
func TestOutputOfWhichSomeAlwaysWaitsDoesNotGrow(t *testing.T) {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Shutdown(t.Context()) }) // nothing is open
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeFD(fds[1])
	l, most := e.loops[0], 0
	_ = l.ask(func() error { // the loop runs
		s := &sock{}
		if e := l.attach(s, fds[0], unconcerned{}); e != 0 {
			return e
		}
		buf := make([]byte, 30<<10)
		for range 400 {
			if s.waiting() < highWater {
				s.take(append(s.room(), make([]byte, 30<<10)...))
			}
			s.blocked = false
			s.flush()
			if s.waiting() > 100<<10 {
				_, _ = unix.Read(fds[1], buf) // there is something
			}
			most = max(most, cap(s.out))
		}
		s.close()
		return nil
	})
	if limit := 1 << 20; most == 0 || most > limit {
		t.Errorf("the buffer has grown to %d bytes, want at most %d", most, limit)
	}
}

type unconcerned struct{}

func (unconcerned) ready()               {}
func (unconcerned) eof()                 {}
func (unconcerned) moved()               {}
func (unconcerned) sent()                {}
func (unconcerned) broken(syscall.Errno) {}
func (unconcerned) late()                {}
