package std

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

func TestSessionsWithTargetsAreResumed(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{enginetest.SelfSigned(t, "a.example")}}
	s.StartTLS()
	defer s.Close()
	pool := exchange.Pool{Address: s.Listener.Addr().String(), TLS: true, ServerName: "a.example"}
	tr := newTransport(pool, nil).(*http.Transport)
	for i := range 3 {
		c, err := tr.DialTLSContext(t.Context(), "tcp", "")
		if err != nil {
			t.Fatal(err)
		}
		tc, ok := c.(*counted).Conn.(*tls.Conn)
		if !ok || tc.ConnectionState().DidResume != (i > 0) {
			t.Errorf("connection %d: resumed %t", i, tc.ConnectionState().DidResume)
		}
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
		if _, err := io.ReadAll(c); err != nil { // the ticket comes with the answer
			t.Fatal(err)
		}
		c.Close()
	}
}

// TestEndOfATLSConnectionIsSeenBeforeItIsRead: the target says that it closes, and
// nobody has read it yet.
func TestEndOfATLSConnectionIsSeenBeforeItIsRead(t *testing.T) {
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{enginetest.SelfSigned(t, "a")}, MaxVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	shaken, end := make(chan struct{}), make(chan struct{})
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.(*tls.Conn).Handshake() // the other side fails, too
		close(shaken)
		<-end
		_ = c.(*tls.Conn).CloseWrite() // its word only: the connection stands
		<-t.Context().Done()
	}()
	conn, err := connect(t.Context(), ln.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	<-shaken
	c := &counted{Conn: conn}
	if c.ended() {
		t.Error("a connection that stands has ended")
	}
	close(end)
	for deadline := time.Now().Add(20 * time.Second); !c.ended(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the end is not seen")
		}
	}
}
