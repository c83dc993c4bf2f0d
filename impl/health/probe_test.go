package health

import (
	"context"
	"io"
	"net"
	"testing"
)

// server answers every connection with a text, and counts what it was asked.
func server(t *testing.T, answer string) (host string, port int, asked chan string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	asked = make(chan string, 16)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 4096)
				n, _ := c.Read(b)
				asked <- string(b[:n])
				if answer == "" {
					_, _ = io.Copy(io.Discard, c)
					return
				}
				_, _ = io.WriteString(c, answer)
			}()
		}
	}()
	a := ln.Addr().(*net.TCPAddr)
	return a.IP.String(), a.Port, asked
}

func TestProbesOverTheNetwork(t *testing.T) {
	ok := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for _, c := range []struct {
		name, typ, answer string
		want              Event
	}{
		{"200 is a success", "http", ok, Success},
		{"500 is a failure", "http", "HTTP/1.1 500 No\r\n\r\n", HTTPFailure},
		{"418 counts neither way", "http", "HTTP/1.1 418 No\r\n\r\n", Ignored},
		{"interim answers are passed over", "http", "HTTP/1.1 103 Early Hints\r\n\r\n" + ok, Success},
		{"garbage is an http failure", "http", "hello\r\n\r\n", HTTPFailure},
		{"silence is a timeout", "http", "", Timeout},
		{"tcp only connects", "tcp", "", Success},
		{"no tls is a tcp failure", "https", ok, TCPFailure},
	} {
		host, port, asked := server(t, c.answer)
		s := spec(c.typ)
		s.Timeout = 0.3
		s.ReqHeaders = []string{"X-Probe: yes"}
		check := NewCheck(s, "h.example")
		ctx, cancel := context.WithTimeout(t.Context(), check.Timeout)
		got := (&NetProber{}).Probe(ctx, host, port, check)
		cancel()
		if got.Event != c.want || got.Address.String() != host {
			t.Errorf("%s: got %+v, want event %d at %s", c.name, got, c.want, host)
		}
		if c.name == "200 is a success" {
			if text := <-asked; text != "GET /health HTTP/1.1\r\nHost: h.example\r\nConnection: close\r\nX-Probe: yes\r\n\r\n" {
				t.Errorf("request of a probe: %q", text)
			}
		}
	}
	ln, _ := net.Listen("tcp", "127.0.0.1:0")
	port := ln.Addr().(*net.TCPAddr).Port
	ln.Close()
	if got := (&NetProber{}).Probe(t.Context(), "127.0.0.1", port, NewCheck(spec("tcp"), "")); got.Event != TCPFailure || got.Address.String() != "127.0.0.1" {
		t.Errorf("refused: got %+v, want a tcp failure at 127.0.0.1", got)
	}
}
