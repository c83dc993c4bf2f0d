package enginetest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// cutAnswersHaveTheirReason: those that are cut because of the client. Those that are
// because of the target are among the faults.
func cutAnswersHaveTheirReason(t *testing.T, start Starter) {
	const post = "POST / HTTP/1.1\r\nHost: h\r\n"
	const begun = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nhello"
	for name, tc := range map[string]struct {
		request string
		answer  string // the target's, who then waits
		endless bool   // and sends on instead
		leave   bool   // the client does, when the answer has begun or the target has the request
		o       Options
		status  int
		want    exchange.CutReason
	}{
		"a client that leaves in the midst of its answer": {request: plain, answer: begun, leave: true, status: 200, want: exchange.CutClientGone},
		"a client that leaves before its answer":          {request: plain, leave: true, want: exchange.CutClientGone},
		"a client that stops sending": {request: post + "Content-Length: 10\r\n\r\nabc", o: Options{BodyTimeout: 200 * time.Millisecond},
			want: exchange.CutClientNotSending},
		"a client that takes nothing": {request: plain, answer: begun[:len(begun)-len("hello")], endless: true, o: Options{BodyTimeout: 200 * time.Millisecond},
			status: 200, want: exchange.CutClientNotReading},
		"a body that is none, when the answer has begun": {request: post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", answer: begun, status: 200, want: exchange.CutClientMalformed},
		"a body that is too long, when the answer has begun": {request: post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", answer: begun, o: Options{MaxBody: 3},
			status: 200, want: exchange.CutClientTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan struct{}, 1)
			h := NewHandler(once(t, asked, tc.answer, tc.endless))
			tc.o.Handler = h
			_, addr := start(t, tc.o)
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
			fmt.Fprint(c, tc.request)
			<-asked
			if tc.answer != "" && !tc.endless {
				if _, err := io.ReadFull(c, make([]byte, len("HTTP/1.1 200 OK"))); err != nil {
					t.Fatal(err)
				}
			}
			switch tc.want {
			case exchange.CutClientMalformed:
				fmt.Fprint(c, "zz\r\n")
			case exchange.CutClientTooBig:
				fmt.Fprint(c, "1\r\nd\r\n")
			}
			if tc.leave {
				c.Close()
			}
			select {
			case r := <-h.Done:
				if !r.Cut || r.CutReason != tc.want || r.Status != tc.status {
					t.Errorf("record %+v (%s), want status %d, cut, %s", r, r.CutReason, tc.status, tc.want)
				}
			case <-time.After(20 * time.Second):
				t.Error("the request has not ended after 20 s")
			}
		})
	}
}

// once is a target that tells when it has the head of a request, says the same to each
// and reads on, or writes on for ever.
func once(t *testing.T, asked chan<- struct{}, answer string, endless bool) string {
	return rawTarget(t, func(c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		asked <- struct{}{}
		_, _ = io.WriteString(c, answer) // or the gateway has gone
		if endless {
			_, _ = io.Copy(c, zeros{}) // likewise
		}
		_, _ = io.Copy(io.Discard, br) // likewise
	})
}
