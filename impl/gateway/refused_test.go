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
