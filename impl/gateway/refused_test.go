package gateway

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestRefusedRequestsAreInTheAccessLogWithTheirReason(t *testing.T) {
	r := startWith(t, EngineLoop)
	var want []string
	for request, line := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n": `"proto":"HTTP/1.1","status":400,"refused":"host_repeated"}`,
		"GET / HTTP/3.7\r\nHost: a\r\n\r\n":            `"proto":"HTTP/1.1","status":505,"refused":"version"}`,
		"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n":    `"proto":"HTTP/1.1","status":405,"refused":"method"}`,
		"POST / HTTP/1.1\r\nHost: a\r\n" + chunkedBad:  `"status":404`, // the pipeline has answered before the body
	} {
		c, err := net.Dial("tcp", r.data)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second)) // sockets take them
		fmt.Fprint(c, request)
		if b, err := io.ReadAll(c); err != nil || len(b) == 0 {
			t.Errorf("%q: %q %v", request, b, err)
		}
		c.Close()
		want = append(want, line)
	}
	r.stop()
	err := <-r.ended
	r.ended <- err
	log := r.access.String()
	for _, line := range want {
		if strings.Count(log, line) != 1 {
			t.Errorf("the log lacks a line with %s:\n%s", line, log)
		}
	}
	if n := strings.Count(log, "\n"); n != len(want) {
		t.Errorf("%d lines for %d requests:\n%s", n, len(want), log)
	}
}

const chunkedBad = "Transfer-Encoding: chunked\r\n\r\nzz\r\n"

func TestConnectionsOfHTTP2ThatBreakARuleHaveOneLineInTheAccessLog(t *testing.T) {
	r := startWith(t, EngineLoop, func(o *Options) { o.HTTP2 = true })
	const begin = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	faults := map[string]string{
		"frame_size":  "\x00\x00\x00\x06\x00\x00\x00\x00\x00",                                    // a PING of no length
		"compression": "\x00\x00\x02\x01\x05\x00\x00\x00\x01\xff\xff",                            // an index without end
		"push":        "\x00\x00\x04\x05\x04\x00\x00\x00\x01\x00\x00\x00\x02",                    // of a client
		"settings":    "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x02",            // a value that ENABLE_PUSH cannot have
		"increment":   "\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00",                    // of the connection's window, by nothing
		"window":      strings.Repeat("\x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\xff\xff\xff", 2), // beyond its bound
		"flood":       strings.Repeat("\x00\x00\x08\x06\x00\x00\x00\x00\x00"+"pingpong", 20_000),
	}
	var want []string
	for reason, bytes := range faults {
		c, err := net.Dial("tcp", r.data)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))   // sockets take them
		go func() { _, _ = io.WriteString(c, begin+bytes) }() // it may be cut short
		_, _ = io.Copy(io.Discard, c)                         // until the connection ends
		c.Close()
		want = append(want, `"proto":"HTTP/2.0","status":0,"refused":"h2_`+reason+`"}`)
	}
	r.stop()
	err := <-r.ended
	r.ended <- err
	log := r.access.String()
	for _, line := range want {
		if n := strings.Count(log, line); n != 1 {
			t.Errorf("%d lines with %s, want 1", n, line)
		}
	}
	if n := strings.Count(log, `"refused":`); n != len(want) {
		t.Errorf("%d lines of refusals for %d connections", n, len(want))
	}
}
