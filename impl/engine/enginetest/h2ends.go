package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// h2ClientThatResetsAStream: with a body under way, and without one.
func h2ClientThatResetsAStream(t *testing.T, f front) {
	asked, left := make(chan struct{}, 1), make(chan struct{}, 1)
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			asked <- struct{}{}
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			left <- struct{}{}
			return
		}
		fmt.Fprint(w, "ok")
	})
	h := NewHandler(up)
	_, url := f.serve(t, Options{Handler: h})
	c := f.client(t)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		ctx, cancel := context.WithCancel(t.Context())
		var body io.Reader
		if method == http.MethodPost {
			pr, pw := io.Pipe()
			defer func() { _ = pw.Close() }()                  // it has no error
			go func() { _, _ = io.WriteString(pw, "begin") }() // and nothing more
			body = pr
		}
		req, _ := http.NewRequestWithContext(ctx, method, url+"/slow", body)
		failed := make(chan error, 1)
		go func() {
			resp, err := c.Do(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			failed <- err
		}()
		<-asked
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the request that was given up: %v", method, err)
		}
		select {
		case <-left:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: the target was not told", method)
		}
		if r := <-h.Done; !r.Cut || r.CutReason != exchange.CutClientReset {
			t.Errorf("%s: record %+v (%s), want cut, %s", method, r, r.CutReason, exchange.CutClientReset)
		}
		resp, err := c.Get(url + "/")
		if got := whole(t, resp, err); got != "ok" {
			t.Errorf("%s: the next on the connection: %q", method, got)
		}
		<-h.Done
	}
}

// h2ClientThatLeaves: with a body under way, and without one.
func h2ClientThatLeaves(t *testing.T, f front) {
	asked := make(chan struct{}, 2)
	h := NewHandler(Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	_, url := f.serve(t, Options{Handler: h})
	c, conn := f.connect(t, url)
	c.ask(1, http.MethodGet, "/")
	c.head(3, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")
	for range 2 {
		<-asked
	}
	conn.Close()
	for range 2 {
		if r := <-h.Done; !r.Cut || r.CutReason != exchange.CutClientGone {
			t.Errorf("record %+v (%s), want cut, %s", r, r.CutReason, exchange.CutClientGone)
		}
	}
}

func h2AnswerThatBreaksOff(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/whole" {
			fmt.Fprint(w, "ok")
			return
		}
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	_, url := f.serve(t, Options{Handler: NewHandler(up)})
	c := f.client(t)
	resp, err := c.Get(url + "/half")
	if err == nil {
		var b []byte
		b, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err == nil {
			t.Errorf("got %q as a whole answer", b)
		}
	}
	var reset http2.StreamError
	if !errors.As(err, &reset) || reset.Code != http2.ErrCodeInternal {
		t.Errorf("the client learns %v, want a reset with INTERNAL_ERROR", err)
	}
	resp, err = c.Get(url + "/whole")
	if got := whole(t, resp, err); got != "ok" {
		t.Errorf("the next on the connection: %q", got)
	}
}

func h2ConnectFailureIsTriedAgain(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	})
	_, url := f.serve(t, Options{Handler: NewHandler(refusing(t), up)})
	want := strings.Repeat("0123456789", 3000)
	resp, err := f.client(t).Post(url+"/", "", strings.NewReader(want))
	if got := whole(t, resp, err); got != want {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
}

func h2StreamThatIsNotRead(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			_, _ = io.CopyN(w, zeros{}, 8<<20)
			return
		}
		fmt.Fprint(w, "ok")
	})
	_, url := f.serve(t, Options{Handler: NewHandler(up)})
	c := f.client(t)
	big, err := c.Get(url + "/big")
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		resp, err := c.Get(url + "/")
		if got := whole(t, resp, err); got != "ok" {
			t.Fatalf("beside a stream that is not read: %q", got)
		}
	}
	if n, err := io.Copy(io.Discard, big.Body); n != 8<<20 || err != nil {
		t.Errorf("read late: %d bytes, %v", n, err)
	}
	_ = big.Body.Close()
}

// starve is a client whose streams take nothing of their answers' bodies before it says so.
func (f front) starve(t *testing.T, url string) dialed {
	t.Helper()
	return f.dial(t, url, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
}

func h2HeadOfAnAnswerNeedsNoWindow(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	_, url := f.serve(t, Options{Handler: NewHandler(up)})
	c := f.starve(t, url)
	c.ask(1, http.MethodHead, "/")
	if h, ok := c.next(1).(*http2.HeadersFrame); !ok || !h.StreamEnded() {
		t.Errorf("got %v, want the head of an answer that ends its stream", h)
	}
	c.ask(3, http.MethodGet, "/")
	if h, ok := c.next(3).(*http2.HeadersFrame); !ok || h.StreamEnded() {
		t.Errorf("got %v, want the head of an answer whose body is to follow", h)
	}
	if err := c.WriteWindowUpdate(3, 100); err != nil {
		t.Fatal(err)
	}
	if got := c.body(3); got != "hello" {
		t.Errorf("body %q", got)
	}
}

func h2AnswerTakenByTheByte(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) })
	h := NewHandler(up)
	_, url := f.serve(t, Options{Handler: h, BodyTimeout: 400 * time.Millisecond})
	c := f.starve(t, url)
	c.ask(1, http.MethodGet, "/")
	c.next(1)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				_ = c.WriteWindowUpdate(1, 1) // fails when it is over
			}
		}
	}()
	for {
		if _, ok := c.next(1).(*http2.RSTStreamFrame); ok {
			break
		}
	}
	if r := <-h.Done; !r.Cut || r.CutReason != exchange.CutClientNotReading {
		t.Errorf("record %+v (%s), want cut, %s", r, r.CutReason, exchange.CutClientNotReading)
	}
}

// h2AnswerOfWhichNothingIsTaken is so small that the engine may hold all of it.
func h2AnswerOfWhichNothingIsTaken(t *testing.T, f front) {
	e, url := f.serve(t, Options{Handler: NewHandler(Backend(t, saysOK)), BodyTimeout: 200 * time.Millisecond})
	c := f.starve(t, url)
	c.ask(1, http.MethodGet, "/")
	c.next(1)
	if r, ok := c.next(1).(*http2.RSTStreamFrame); !ok {
		t.Errorf("got %v, want a reset", r)
	}
	for deadline := time.Now().Add(10 * time.Second); e.InFlight() > 0; <-time.After(time.Millisecond) { // its end may be behind the reset
		if time.Now().After(deadline) {
			t.Fatalf("%d in flight", e.InFlight())
		}
	}
}

// h2ClientThatReadsNothing allows everything, and reads nothing of its connection.
func h2ClientThatReadsNothing(t *testing.T, f front) {
	h := NewHandler(Backend(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.CopyN(w, zeros{}, 256<<20) }))
	_, url := f.serve(t, Options{Handler: h, BodyTimeout: 400 * time.Millisecond})
	c := f.dial(t, url, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	if err := c.WriteWindowUpdate(0, 1<<30); err != nil {
		t.Fatal(err)
	}
	c.ask(1, http.MethodGet, "/")
	select {
	case r := <-h.Done:
		if !r.Cut || r.CutReason != exchange.CutClientNotReading {
			t.Errorf("record %+v (%s), want cut, %s", r, r.CutReason, exchange.CutClientNotReading)
		}
	case <-time.After(20 * time.Second):
		t.Error("it is still served after 20 s")
	}
}

func h2BodyThatStops(t *testing.T, f front) {
	up := Backend(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	h := NewHandler(up)
	_, url := f.serve(t, Options{Handler: h, BodyTimeout: 200 * time.Millisecond})
	pr, pw := io.Pipe()
	defer func() { _ = pw.Close() }()                // it has no error
	go func() { _, _ = pw.Write([]byte("begin")) }() // and nothing more
	resp, err := f.client(t).Post(url+"/", "", pr)
	if err == nil {
		_ = resp.Body.Close()
		t.Errorf("a body that stops: %s, want a reset", resp.Status)
	}
	if r := <-h.Done; !r.Cut || r.CutReason != exchange.CutClientNotSending {
		t.Errorf("record %+v (%s), want cut, %s", r, r.CutReason, exchange.CutClientNotSending)
	}
}

func h2IdleClientIsSentAway(t *testing.T, f front) {
	_, url := f.serve(t, Options{Handler: NewHandler(Backend(t, saysOK)), IdleTimeout: 200 * time.Millisecond})
	c := f.dial(t, url)
	c.ask(1, http.MethodGet, "/")
	c.next(1)
	c.goneAway()
}

// await waits for the test, or for the end of a request when the test has given up.
func await(end <-chan struct{}, r *http.Request) {
	select {
	case <-end:
	case <-r.Context().Done():
	}
}

// h2ClientIsSentAwayAtOnce, whether it waits for an answer or for nothing.
func h2ClientIsSentAwayAtOnce(t *testing.T, f front) {
	begun, end := make(chan struct{}, 1), make(chan struct{})
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			begun <- struct{}{}
			await(end, r)
		}
		fmt.Fprint(w, "ok")
	})
	e, url := f.serve(t, Options{Handler: NewHandler(up)})
	idle, busy := f.dial(t, url), f.dial(t, url)
	idle.ask(1, http.MethodGet, "/")
	idle.next(1)
	if got := idle.body(1); got != "ok" {
		t.Errorf("body %q", got)
	}
	busy.ask(1, http.MethodGet, "/slow")
	<-begun
	e.SendAway()
	idle.goneAway()
	busy.goneAway()
	close(end)
	if h, ok := busy.next(1).(*http2.HeadersFrame); !ok {
		t.Errorf("got %v, want the answer that was under way", h)
	}
	if got := busy.body(1); got != "ok" {
		t.Errorf("body %q", got)
	}
}

func h2AnswersOfADrainingNode(t *testing.T, f front) {
	_, url := f.serve(t, Options{Handler: NewHandler(Backend(t, saysOK)), Draining: func() bool { return true }})
	c := f.dial(t, url)
	c.ask(1, http.MethodGet, "/")
	away, got := false, ""
	for ended := false; !ended || !away; {
		frame, err := c.ReadFrame()
		if err != nil {
			t.Fatalf("waiting for the answer and GOAWAY: %v", err)
		}
		switch frame := frame.(type) {
		case *http2.GoAwayFrame:
			if away = true; frame.ErrCode != http2.ErrCodeNo {
				t.Errorf("GOAWAY with %s", frame.ErrCode)
			}
		case *http2.DataFrame:
			got += string(frame.Data())
			ended = frame.StreamEnded()
		}
	}
	if got != "ok" {
		t.Errorf("body %q", got)
	}
	resp, err := f.client(t).Get(url) // who comes is served
	if whole(t, resp, err); resp.Header["Connection"] != nil {
		t.Errorf("Connection: %q reaches the client", resp.Header["Connection"])
	}
}

func h2ShutdownLosesNoStream(t *testing.T, f front) {
	const streams = 8
	begun, end := make(chan struct{}, streams), make(chan struct{})
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		await(end, r)
		fmt.Fprint(w, "late")
	})
	e, url := f.serve(t, Options{Handler: NewHandler(up)})
	c := f.dial(t, url)
	for i := range streams {
		c.ask(uint32(2*i+1), http.MethodGet, "/")
	}
	for range streams {
		<-begun
	}
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		ended <- e.Shutdown(ctx)
	}()
	c.goneAway()
	close(end)
	got := map[uint32]string{}
	for whole := 0; whole < streams; {
		frame, err := c.ReadFrame()
		if err != nil {
			t.Fatalf("%d of %d streams have ended: %v", whole, streams, err)
		}
		if d, ok := frame.(*http2.DataFrame); ok {
			got[d.StreamID] += string(d.Data())
			if d.StreamEnded() {
				whole++
			}
		}
	}
	for stream, body := range got {
		if body != "late" {
			t.Errorf("stream %d: %q", stream, body)
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v, %d in flight", err, e.InFlight())
	}
}

// h2ConnectionCountsOnce: the bound is one of connections, not of requests.
func h2ConnectionCountsOnce(t *testing.T, f front) {
	begun, end := make(chan struct{}, 3), make(chan struct{})
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		await(end, r)
		fmt.Fprint(w, "ok")
	})
	_, url := f.serve(t, Options{Handler: NewHandler(up), MaxConns: 1})
	c := f.dial(t, url)
	for _, stream := range []uint32{1, 3, 5} {
		c.ask(stream, http.MethodGet, "/")
		<-begun
	}
	close(end)
	for got := 0; got < 3; {
		frame, err := c.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := frame.(*http2.DataFrame); ok && d.StreamEnded() {
			got++
		}
	}
}
