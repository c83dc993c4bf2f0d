package enginetest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// failing is a handler that panics where the path of a request says.
type failing struct {
	*Handler
	done chan string // paths of the exchanges that it was told the end of, and how it was
}

func (f *failing) at(x *exchange.Exchange, where string) {
	if strings.Contains(x.Request.Path, where) {
		panic("the handler fails in " + where)
	}
}

func (f *failing) OnRequest(x *exchange.Exchange) exchange.Verdict {
	f.at(x, "request")
	v := f.Handler.OnRequest(x)
	x.FilterBody = strings.Contains(x.Request.Path, "body")
	return v
}

func (f *failing) OnResponse(x *exchange.Exchange) exchange.Verdict {
	f.at(x, "response")
	return f.Handler.OnResponse(x)
}

func (f *failing) OnBody(x *exchange.Exchange, b []byte, _ bool) []byte {
	f.at(x, "body")
	return b
}

func (f *failing) OnDone(x *exchange.Exchange, r exchange.Record) {
	f.done <- fmt.Sprint(x.Request.Path, " ", r.Cut, " ", r.CutReason)
	f.at(x, "done")
}

// handlerThatPanicsIsToldOfTheEndOnce: or the request is neither logged nor counted. The
// client sees its connection end, and others see nothing; none of them stays in flight, or
// the engine would not end in time.
func handlerThatPanicsIsToldOfTheEndOnce(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") })
	h := &failing{Handler: NewHandler(up), done: make(chan string, 64)}
	_, addr := start(t, Options{Handler: h})
	next := func() string {
		select {
		case s := <-h.done:
			return s
		case <-time.After(10 * time.Second):
			return "nothing"
		}
	}
	for path, want := range map[string]string{
		"/request": "/request true internal", "/response": "/response true internal", "/body": "/body true internal",
		"/request,done": "/request,done true internal", "/done": "/done false internal",
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second)) // sockets take them
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path)
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err == nil && path != "/done" {
				t.Errorf("%s: answered %d %q, want the end of the connection", path, resp.StatusCode, b)
			}
		}
		if got := next(); got != want {
			t.Errorf("%s: the handler is told %q, want %q", path, got, want)
		}
		c.Close()
		if got := Raw(t, addr, "GET /ok HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); !strings.HasSuffix(got, "fine") {
			t.Errorf("after %s: %q", path, got)
		}
		if got := next(); got != "/ok false internal" { // nothing of the other a second time
			t.Errorf("after %s: the handler is told %q", path, got)
		}
	}
}
