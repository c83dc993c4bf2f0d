package loop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

func TestIdleConnectionsOfHTTP2EndInTime(t *testing.T) {
	gone := make(chan string, 1)
	up := frames2(t, func(_ int, fr *http2.Framer, _ net.Conn) {
		_ = fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				gone <- err.Error()
				return
			}
			switch f := f.(type) {
			case *http2.HeadersFrame:
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: true})
			case *http2.GoAwayFrame:
				gone <- fmt.Sprint(f.LastStreamID, f.ErrCode)
				return
			}
		}
	})
	for _, timeout := range []time.Duration{150 * time.Millisecond, 0} {
		h := newOver2(up)
		h.plan.Connect, h.plan.Send, h.plan.Read = time.Minute, time.Minute, time.Minute
		h.pool.IdleTimeout = timeout
		_, addr := startLoops(t, Options{Handler: h})
		begin := time.Now()
		if status, _ := ask(t, "http://"+addr); status != 200 {
			t.Fatalf("got %d, failures %+v", status, h.failed())
		}
		if said := <-gone; said != "0 NO_ERROR" || time.Since(begin) < timeout || time.Since(begin) > h.plan.Read/2 {
			t.Errorf("ended with %s after %s, want NO_ERROR after %s", said, time.Since(begin), timeout)
		}
	}
}

func TestPanicForOneAnswerLeavesTheOthersOfItsConnection(t *testing.T) {
	goOn := make(chan struct{})
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			fmt.Fprint(w, "be")
			_ = http.NewResponseController(w).Flush()
			<-goOn
		}
		fmt.Fprint(w, "gin")
	}, nil)
	h := newOver2(up)
	h.answer = func(x *exchange.Exchange) {
		if x.Request.Path == "/panic" {
			panic("as the test wants it")
		}
	}
	e, addr := startLoops(t, Options{Handler: h})
	slow, err := http.Get("http://" + addr + "/slow")
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.Get("http://" + addr + "/panic"); err == nil {
		t.Errorf("a panic is answered %s", resp.Status)
	}
	close(goOn)
	if got := whole(t, slow, nil); got != "begin" {
		t.Errorf("the other answer is %q", got)
	}
	if n := e.InFlight(); n != 0 {
		t.Errorf("%d in flight", n)
	}
}

func TestRefusedBodyThatIsGoneIsNotSentAgain(t *testing.T) {
	up := frames2(t, func(_ int, fr *http2.Framer, _ net.Conn) {
		_ = fr.WriteSettings()
		got := 0
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if d, ok := f.(*http2.DataFrame); ok {
				if got += len(d.Data()); got > 40_000 {
					_ = fr.WriteRSTStream(d.StreamID, http2.ErrCodeRefusedStream)
				}
			}
		}
	})
	h := newOver2(up, up)
	h.replay = 1000
	_, addr := startLoops(t, Options{Handler: h})
	resp, err := http.Post("http://"+addr, "", io.LimitReader(zeros{}, 1<<20))
	if err == nil {
		whole(t, resp, nil)
		if resp.StatusCode != 502 {
			t.Errorf("got %s", resp.Status)
		}
	}
	<-h.done
	if f := h.failed(); len(f) != 2 || f[0].Sent || f[0].Replayable || f[1].Kind != exchange.FailedInternal {
		t.Errorf("failures %+v", f)
	}
}

func TestShutdownLetsStreamsToTargetsEnd(t *testing.T) {
	begun, end := make(chan struct{}, 8), make(chan struct{})
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		begun <- struct{}{}
		<-end
		_, _ = io.Copy(w, r.Body)
	}, nil)
	h := newOver2(up)
	e, err := New(Options{Handler: h, Poison: true})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := e.Listen(t.Context(), "127.0.0.1:0", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = e.Serve(ln) }()
	got := make(chan string, 8)
	for range 8 {
		go func() {
			resp, err := http.Post("http://"+ln.Addr().String(), "", strings.NewReader("late"))
			if err != nil {
				got <- err.Error()
				return
			}
			b, err := io.ReadAll(resp.Body)
			got <- fmt.Sprint(string(b), err)
		}()
	}
	for range 8 {
		<-begun
	}
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		ended <- e.Shutdown(ctx)
	}()
	<-ln.closed
	close(end)
	for range 8 {
		if s := <-got; s != "late<nil>" {
			t.Errorf("a request under way: %s", s)
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// TestResetOfAConnectionFailsEachOfItsRequests as it stands: those that have an answer are
// cut, those that may be sent again are.
func TestResetOfAConnectionFailsEachOfItsRequests(t *testing.T) {
	all, cut := make(chan struct{}), make(chan struct{})
	up := frames2(t, func(n int, fr *http2.Framer, c net.Conn) {
		_ = fr.WriteSettings()
		for seen := 0; ; {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			h, ok := f.(*http2.HeadersFrame)
			if !ok {
				continue
			}
			seen++
			if n > 0 || seen == 1 {
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: h.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: n > 0})
			}
			if n == 0 && seen == 3 {
				close(all)
				<-cut
				_ = c.(*net.TCPConn).SetLinger(0)
				return
			}
		}
	})
	h := newOver2(up, up)
	_, addr := startLoops(t, Options{Handler: h})
	first, err := http.Get("http://" + addr + "/first")
	if err != nil {
		t.Fatal(err)
	}
	get, post := make(chan int, 1), make(chan int, 1)
	go func() {
		resp, err := http.Get("http://" + addr + "/get")
		if err != nil {
			t.Error(err)
		}
		get <- resp.StatusCode
	}()
	go func() {
		resp, err := http.Post("http://"+addr+"/post", "", nil)
		if err != nil {
			t.Error(err)
		}
		post <- resp.StatusCode
	}()
	<-all
	close(cut)
	if b, err := io.ReadAll(first.Body); err == nil {
		t.Errorf("a cut answer reads as whole: %q", b)
	}
	if g, p := <-get, <-post; g != 200 || p != 502 {
		t.Errorf("GET %d, POST %d; want 200 and 502; failures %+v", g, p, h.failed())
	}
	for _, f := range h.failed() {
		if f.Kind != exchange.FailedRead || !f.Sent || errors.Is(f.Err, nil) {
			t.Errorf("failure %+v", f)
		}
	}
}
