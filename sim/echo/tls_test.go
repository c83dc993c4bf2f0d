package echo

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"testing"
	"time"
)

// TestServerSpeaksTLSFromNowOn: connections that stand stay as they are.
func TestServerSpeaksTLSFromNowOn(t *testing.T) {
	own := httptest.NewUnstartedServer(nil)
	own.StartTLS()
	defer own.Close()
	s, rec, addr := start(t, Options{})
	const ask = "GET / HTTP/1.1\r\nHost: a\r\nX-Op-Id: op-%d\r\n\r\n"
	plain, br := send(t, addr, fmt.Sprintf(ask, 1))
	if r, _ := reply(t, br, "GET"); r.StatusCode != 200 {
		t.Fatalf("before: %d", r.StatusCode)
	}
	s.SetTLS(&tls.Config{Certificates: own.TLS.Certificates})
	fmt.Fprintf(plain, ask, 2)
	if r, _ := reply(t, br, "GET"); r.StatusCode != 200 {
		t.Errorf("a connection of before: %d", r.StatusCode)
	}
	secure, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatalf("with TLS: %v", err)
	}
	defer secure.Close()
	_ = secure.SetDeadline(time.Now().Add(10 * time.Second)) // sockets take them
	fmt.Fprintf(secure, ask, 3)
	if r, _ := reply(t, bufio.NewReader(secure), "GET"); r.StatusCode != 200 || r.Header.Get(HeaderOp) != "op-3" {
		t.Errorf("with TLS: %d %v", r.StatusCode, r.Header)
	}
	_, br = send(t, addr, fmt.Sprintf(ask, 4))
	if line, err := br.ReadString('\n'); err == nil && len(line) > 4 && line[:4] == "HTTP" {
		t.Errorf("without TLS: %q, want no answer", line)
	}
	await(t, "three arrivals", func() bool { return len(rec.Snapshot().Arrivals) >= 3 })
	if got := rec.Snapshot().Arrivals; len(got) != 3 {
		t.Errorf("%d arrivals, want 3", len(got))
	}
	s.SetTLS(nil)
	_, br = send(t, addr, fmt.Sprintf(ask, 5))
	if r, _ := reply(t, br, "GET"); r.StatusCode != 200 {
		t.Errorf("no TLS any more: %d", r.StatusCode)
	}
}
