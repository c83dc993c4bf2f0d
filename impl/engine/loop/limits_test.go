package loop

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// TestClientsThatNeverEndTheirHeadAreSentAwayAndHurtNobody: a head has an absolute
// deadline, however its bytes trickle in.
func TestClientsThatNeverEndTheirHeadAreSentAwayAndHurtNobody(t *testing.T) {
	const many, limit = 300, 500 * time.Millisecond
	target := parrot(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	h := &plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, IdleConns: 8, IdleTimeout: time.Minute}}}
	e, addr := startLoops(t, Options{Handler: h, HeadTimeout: limit})
	begin := time.Now()
	ended := make(chan string, many)
	for i := range many {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer c.Close()
			_, _ = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: h\r\nX-%d: ", i)
			trickle := time.NewTicker(50 * time.Millisecond)
			defer trickle.Stop()
			stop := make(chan struct{})
			go func() {
				for {
					select {
					case <-trickle.C:
						if _, err := io.WriteString(c, "x"); err != nil {
							return
						}
					case <-stop:
						return
					}
				}
			}()
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			b := make([]byte, 64)
			n, _ := io.ReadAtLeast(c, b, 12)
			close(stop)
			ended <- string(b[:min(n, 12)])
		}()
	}
	for range 50 { // others are served meanwhile
		resp, err := http.Get("http://" + addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d", resp.StatusCode)
		}
	}
	for range many {
		if got := <-ended; got != "HTTP/1.1 408" {
			t.Errorf("a client that never ends its head got %q, want 408", got)
		}
	}
	if took := time.Since(begin); took < limit {
		t.Errorf("all were sent away after %s, and may take %s", took, limit)
	}
	if got := e.Refused()["head_timeout"]; got != many {
		t.Errorf("%d counted, want %d", got, many)
	}
}

// TestWhatIsNoRequestIsRefusedAndTheLoopLives: each with a reason, none passed on.
func TestWhatIsNoRequestIsRefusedAndTheLoopLives(t *testing.T) {
	reached := make(chan struct{}, 64)
	target := parrot(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	h := &noting{plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, IdleConns: 8, IdleTimeout: time.Minute}}}, reached}
	e, addr := startLoops(t, Options{Handler: h, Server: "us"})
	for text, reason := range map[string]string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03":                                         "not_http",
		"GET / HTTP/1.1\nHost: h\n\n":                                                          "bare_lf",
		"GET  / HTTP/1.1\r\nHost: h\r\n\r\n":                                                   "request_line",
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": "length_and_coding",
		"GET / HTTP/1.1\r\nHost : h\r\n\r\n":                                                   "space_before_colon",
		"GET / HTTP/1.1\r\n\r\n":                                                               "host_missing",
		"GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n":          "head_too_long",
		"GET / HTTP/2.0\r\nHost: h\r\n\r\n":                                                    "version",
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: Host\r\n\r\n":                                "connection",
		"POST / HTTP/1.1\r\nHost: h\r\nTrailer: Host\r\nTransfer-Encoding: chunked\r\n\r\n":    "trailer",
	} {
		before := e.Refused()[reason]
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		go func() { _, _ = io.WriteString(c, text+"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n") }()
		b, err := io.ReadAll(c)
		_ = c.Close()
		if err != nil || strings.Count(string(b), "HTTP/1.1 ") != 1 || !strings.HasPrefix(string(b), "HTTP/1.1 4") && !strings.HasPrefix(string(b), "HTTP/1.1 505") ||
			!strings.Contains(string(b), "\r\nServer: us\r\n") || !strings.Contains(string(b), "\r\nConnection: close\r\n") {
			t.Errorf("%.40q: got %q, %v, want one refusal and the end", text, b, err)
		}
		if got := e.Refused()[reason] - before; got != 1 {
			t.Errorf("%.40q: counted %d times as %s; all: %v", text, got, reason, e.Refused())
		}
	}
	select {
	case <-reached:
		t.Error("a request that was refused, or one behind it, reached the handler")
	default:
	}
}

// noting tells that a request has come.
type noting struct {
	plain
	reached chan struct{}
}

func (n *noting) OnRequest(x *exchange.Exchange) exchange.Verdict {
	n.reached <- struct{}{}
	return n.plain.OnRequest(x)
}
