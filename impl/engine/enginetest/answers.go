package enginetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// ending is what a target does behind its answer.
type ending int

const (
	stays ending = iota
	closes
	resets
)

// faulty is what a target answers to its first request. To all others it answers "fine".
type faulty struct {
	text string
	end  ending
	late string // sent when the answer has been passed on
	// lax: the library takes it for an answer, which is what the rest says otherwise.
	lax bool

	status  int    // for the client; 200: body follows
	body    string // as far as it comes
	failure exchange.FailureKind
	cut     exchange.CutReason // of an answer of 200 that is not whole
	whole   bool               // of an answer that is; its connection must end all the same
}

const ok = "HTTP/1.1 200 OK\r\n"

// faults are answers behind which no connection may be used again.
var faults = map[string]faulty{
	"bytes that are no head":              {text: "\x00\x01\x02 is no answer\r\n\r\n", status: 502, failure: exchange.BadAnswer},
	"another protocol":                    {text: "SSH-2.0-OpenSSH_9.6\r\n", status: 502, failure: exchange.BadAnswer},
	"a reset before the head":             {end: resets, status: 502, failure: exchange.FailedRead},
	"the end before the head":             {end: closes, status: 502, failure: exchange.FailedRead},
	"a reset within the head":             {text: ok + "Content-Length: 5\r\n", end: resets, status: 502, failure: exchange.FailedRead},
	"the end within the head":             {text: ok + "Content-Length: 5\r\n", end: closes, status: 502, failure: exchange.FailedRead},
	"too large a head":                    {text: ok + strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", 300) + "\r\n", status: 502, failure: exchange.BadAnswer},
	"two lengths":                         {text: ok + "Content-Length: 5\r\nContent-Length: 4\r\n\r\nhello", status: 502, failure: exchange.BadAnswer},
	"a length that is no number":          {text: ok + "Content-Length: 5x\r\n\r\nhello", status: 502, failure: exchange.BadAnswer},
	"a length and a coding":               {text: ok + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", lax: true, status: 502, failure: exchange.BadAnswer},
	"an unknown coding":                   {text: ok + "Transfer-Encoding: gzip\r\n\r\nhello", status: 502, failure: exchange.BadAnswer},
	"a chunk without a size":              {text: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", status: 200, body: "hello", cut: exchange.CutTargetMalformed},
	"a chunk that is longer than it says": {text: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello world\r\n0\r\n\r\n", status: 200, body: "hello", cut: exchange.CutTargetMalformed},
	"a body that is too short":            {text: ok + "Content-Length: 10\r\n\r\nhello", end: closes, status: 200, body: "hello", cut: exchange.CutTargetEnded},
	"chunks without the last":             {text: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", end: closes, status: 200, body: "hello", cut: exchange.CutTargetEnded},
	"a reset within the body":             {text: ok + "Content-Length: 10\r\n\r\nhello", end: resets, status: 200, body: "hello", cut: exchange.CutTargetReset},
	"silence within the body":             {text: ok + "Content-Length: 10\r\n\r\nhello", status: 200, body: "hello", cut: exchange.CutTargetSilent},
	"an answer behind the answer":         {text: ok + "Content-Length: 5\r\n\r\nhello" + ok + "Content-Length: 4\r\n\r\nevil", status: 200, body: "hello", whole: true},
	"a byte behind the last chunk":        {text: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nX", status: 200, body: "hello", whole: true},
	"a body behind a head without one":    {text: "HTTP/1.1 204 No Content\r\n\r\nevil", status: 204, whole: true},
	"an answer that nobody asked for":     {text: ok + "Content-Length: 5\r\n\r\nhello", late: ok + "Content-Length: 4\r\n\r\nevil", status: 200, body: "hello", whole: true},
}

// A faultyTarget has one faulty answer.
type faultyTarget struct {
	addr     string
	passedOn chan struct{} // to be closed when the client has the answer
	late     chan struct{} // tells that what comes late has been sent, or never will be
	ended    chan error    // how its connection has ended
}

func startFaulty(t *testing.T, f faulty) *faultyTarget {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	u := &faultyTarget{addr: ln.Addr().String(), passedOn: make(chan struct{}), late: make(chan struct{}), ended: make(chan error, 1)}
	go func() {
		for first := true; ; first = false {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if first {
				go func() { u.ended <- u.serve(c, f) }()
				continue
			}
			go func() {
				defer c.Close()
				for br := bufio.NewReader(c); ; {
					if _, err := http.ReadRequest(br); err != nil {
						return
					}
					_, _ = io.WriteString(c, ok+"Content-Length: 4\r\n\r\nfine")
				}
			}()
		}
	}()
	return u
}

// serve is the first connection. It returns nil when the other side has closed it
// without another word.
func (u *faultyTarget) serve(c net.Conn, f faulty) error {
	defer close(u.late)
	defer c.Close()
	br := bufio.NewReader(c)
	if _, err := http.ReadRequest(br); err != nil {
		return err
	}
	_, _ = io.WriteString(c, f.text) // who has seen enough may have gone
	if f.end == resets {
		return c.(*net.TCPConn).SetLinger(0)
	}
	if f.end == closes {
		return nil
	}
	if f.late != "" {
		<-u.passedOn
		_, _ = io.WriteString(c, f.late)
		u.late <- struct{}{}
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second)) // sockets take them
	b, err := io.ReadAll(br)
	if len(b) > 0 {
		return fmt.Errorf("the connection is used again: %q", b)
	}
	if errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return err
}

// noConnectionIsUsedBehindAFaultyAnswer: the client has an error, or as much of the
// answer as is right; the record says why; and the next request has a connection of its
// own and the answer to itself.
func noConnectionIsUsedBehindAFaultyAnswer(t *testing.T, start Starter, strict bool) {
	for name, f := range faults {
		if f.lax && !strict {
			continue
		}
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			u := startFaulty(t, f)
			h := NewHandler(u.addr)
			if f.cut == exchange.CutTargetSilent {
				h.plan.Read = 100 * time.Millisecond
			}
			_, gateway := start(t, Options{Handler: h})
			status, body, err := getOnce(gateway, "/first")
			cut := f.status < 300 && !f.whole
			if right := body == f.body || f.status == 502 || cut && strings.HasPrefix(f.body, body); status != f.status || !right || cut != (err != nil) {
				t.Errorf("got %d %q, %v, want %d %q, cut %t", status, body, err, f.status, f.body, cut)
			}
			r, fails := <-h.Done, h.Failures()
			if r.Status != f.status || r.Cut != cut || cut && r.CutReason != f.cut {
				t.Errorf("record %+v (%s), want status %d, cut %t, %s", r, r.CutReason, f.status, cut, f.cut)
			}
			if want := f.status == 502; (len(fails) == 1) != want || len(fails) > 1 || want && fails[0].Kind != f.failure {
				t.Errorf("failures %+v, want one of %s for 502, else none", fails, f.failure)
			}
			close(u.passedOn)
			if f.late != "" {
				<-u.late // it is on this machine, and with the gateway's socket
			}
			for i := range 2 { // the second on the connection that the first has made
				if status, body, err := getOnce(gateway, "/next"); status != 200 || body != "fine" || err != nil {
					t.Errorf("request %d behind it: %d %q, %v, want 200 and the answer to itself", i, status, body, err)
				}
				<-h.Done
			}
			if err := <-u.ended; err != nil {
				t.Errorf("the connection did not end: %v", err)
			}
		})
	}
}

// getOnce asks on a connection of its own.
func getOnce(addr, path string) (status int, body string, err error) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://" + addr + path)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}
