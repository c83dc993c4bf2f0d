package loop

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// over2 forwards everything to targets of HTTP/2 in turn, as the pipeline does.
type over2 struct {
	targets []string
	pool    exchange.Pool
	plan    exchange.Plan
	filter  func(b []byte, last bool) []byte
	answer  func(*exchange.Exchange) // when the head of an answer is there
	replay  int

	mu       sync.Mutex
	failures []exchange.Failure
	done     chan exchange.Record
}

func newOver2(targets ...string) *over2 {
	const s = time.Second
	return &over2{targets: targets, pool: exchange.Pool{HTTP2: true, IdleConns: 8, IdleTimeout: time.Minute}, plan: exchange.Plan{Connect: 5 * s, Send: 5 * s, Read: 5 * s}, done: make(chan exchange.Record, 1024)}
}

func (h *over2) forward(x *exchange.Exchange) exchange.Verdict {
	i := int(x.Slots[0])
	x.Slots[0]++
	if i >= len(h.targets) {
		return x.RespondBytes(502, "", []byte("bad"))
	}
	p := h.plan
	p.Host = x.Request.Authority
	pool := h.pool
	pool.Address = h.targets[i]
	p.Target = &exchange.Target{Name: h.targets[i], Pool: pool}
	x.FilterBody = h.filter != nil
	return x.Forward(p)
}

func (h *over2) OnRequest(x *exchange.Exchange) exchange.Verdict {
	if h.replay > 0 {
		x.ReplayLimit = h.replay
	}
	return h.forward(x)
}

func (h *over2) OnFailure(x *exchange.Exchange, f exchange.Failure) exchange.Verdict {
	h.mu.Lock()
	h.failures = append(h.failures, f)
	h.mu.Unlock()
	switch {
	case f.Kind == exchange.ClientGone:
		return exchange.Abort
	case f.Sent && (!f.Replayable || !exchange.Idempotent(x.Request.Method)):
		return x.RespondBytes(502, "", []byte(f.Kind.String()))
	}
	return h.forward(x)
}

func (h *over2) OnResponse(x *exchange.Exchange) exchange.Verdict {
	x.ResponseEdits = x.ResponseEdits[:0]
	if h.answer != nil {
		h.answer(x)
	}
	return exchange.Continue
}

func (h *over2) OnBody(_ *exchange.Exchange, b []byte, last bool) []byte { return h.filter(b, last) }
func (h *over2) OnDone(_ *exchange.Exchange, r exchange.Record)          { h.done <- r }

func (h *over2) failed() []exchange.Failure {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]exchange.Failure(nil), h.failures...)
}

// target2 serves HTTP/2 without TLS.
func target2(t *testing.T, f http.HandlerFunc, conf *http.HTTP2Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(f)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.HTTP2 = conf
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// frames2 is a target of which the test writes the frames, one call of f for each
// connection.
func frames2(t *testing.T, f func(n int, fr *http2.Framer, c net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for n := 0; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(t.Context(), func() { c.Close() })
			go func() {
				defer stop()
				defer c.Close()
				if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err == nil {
					f(n, http2.NewFramer(c, c), c)
				}
			}()
		}
	}()
	return ln.Addr().String()
}

func ask(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	return resp.StatusCode, whole(t, resp, err)
}

func TestStreamsBeyondTheLimitTakeOtherConnections(t *testing.T) {
	const limit, all = 10, 60
	var mu sync.Mutex
	peers := map[string]int{}
	begun, end := make(chan struct{}, all), make(chan struct{})
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		peers[r.RemoteAddr]++
		mu.Unlock()
		begun <- struct{}{}
		<-end
		fmt.Fprint(w, "ok")
	}, &http.HTTP2Config{MaxConcurrentStreams: limit})
	h := newOver2(up)
	_, addr := startLoops(t, Options{Handler: h})
	var wg sync.WaitGroup
	for range all {
		wg.Go(func() {
			if resp, err := http.Post("http://"+addr, "", strings.NewReader("x")); err != nil || resp.StatusCode != 200 {
				t.Errorf("%v %v, failures %v", resp, err, h.failed())
			}
		})
	}
	for i := range all {
		select {
		case <-begun:
		case <-time.After(20 * time.Second):
			t.Errorf("%d of %d have begun, failures %v", i, all, h.failed())
		}
		if t.Failed() {
			break
		}
	}
	close(end)
	wg.Wait()
	if n := len(peers); n < all/limit || n > all {
		t.Errorf("%d requests at a time used %d connections of %d each", all, n, limit)
	}
	for peer, n := range peers {
		if n > limit {
			t.Errorf("%s has carried %d at a time", peer, n)
		}
	}
}

func TestRequestsWaitForStreamsWhenNoConnectionMayBeMade(t *testing.T) {
	const limit, all = 2, 40
	var now, most atomic.Int64
	goOn := make(chan struct{})
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		if r.URL.Path == "/hold" {
			<-goOn
		}
		now.Add(-1)
		fmt.Fprint(w, "ok")
	}, &http.HTTP2Config{MaxConcurrentStreams: limit})
	h := newOver2(up)
	e, addr := startLoops(t, Options{Handler: h})
	e.loops[0].mail.post(func() { e.loops[0].mostTrunks = 2 })
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			path := "/"
			if i%4 == 0 {
				path = "/hold"
			}
			if resp, err := http.Get("http://" + addr + path); err != nil || resp.StatusCode != 200 {
				t.Errorf("%v %v, failures %v", resp, err, h.failed())
			}
		})
		if i == all/2 {
			close(goOn)
		}
	}
	wg.Wait()
	if n := most.Load(); n > 2*limit {
		t.Errorf("%d at a time on two connections of %d", n, limit)
	}
}

// TestRequestsThatWaitTakeTheFirstStreamThatIsFree, on whatever connection.
func TestRequestsThatWaitTakeTheFirstStreamThatIsFree(t *testing.T) {
	hold, short := make(chan struct{}), make(chan struct{})
	begun := make(chan struct{}, 2)
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hold":
			begun <- struct{}{}
			<-hold
		case "/short":
			begun <- struct{}{}
			<-short
		}
		fmt.Fprint(w, "ok")
	}, &http.HTTP2Config{MaxConcurrentStreams: 1})
	h := newOver2(up)
	e, addr := startLoops(t, Options{Handler: h})
	l := e.loops[0]
	if status, _ := ask(t, "http://"+addr); status != 200 { // the limit is known then
		t.Fatalf("got %d", status)
	}
	l.mail.post(func() { l.mostTrunks = 2 })
	var held, others sync.WaitGroup
	get := func(path string) {
		if resp, err := http.Get("http://" + addr + path); err != nil || resp.StatusCode != 200 {
			t.Errorf("%s: %v %v, failures %v", path, resp, err, h.failed())
		}
	}
	held.Go(func() { get("/hold") })
	<-begun
	others.Go(func() { get("/short") })
	<-begun
	for range 6 {
		others.Go(func() { get("/") })
	}
	for waiting := 0; waiting < 6; {
		if err := l.ask(func() error {
			for _, p := range l.pools {
				waiting = p.queued
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		pause(t)
	}
	close(short)
	others.Wait()
	close(hold)
	held.Wait()
}

func TestWaitForAStreamIsLimitedAsConnectingIs(t *testing.T) {
	end := make(chan struct{})
	up := target2(t, func(http.ResponseWriter, *http.Request) { <-end }, &http.HTTP2Config{MaxConcurrentStreams: 1})
	defer close(end)
	h := newOver2(up)
	h.plan.Connect = 100 * time.Millisecond
	e, addr := startLoops(t, Options{Handler: h})
	e.loops[0].mail.post(func() { e.loops[0].mostTrunks = 1 })
	first := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr, nil)
		_, err := http.DefaultClient.Do(req)
		first <- err
	}()
	for e.InFlight() == 0 {
		pause(t)
	}
	// The first may be refused once: the limit is not known when it goes.
	if status, _ := ask(t, "http://"+addr); status != 502 {
		t.Errorf("got %d", status)
	}
	if f := h.failed(); len(f) != 1 || f[0].Kind != exchange.TimedOutConnect || f[0].Sent || !f[0].Replayable {
		t.Errorf("failures %+v", f)
	}
	cancel()
	<-first
}

// pause lets others go on for a moment.
func pause(t *testing.T) {
	t.Helper()
	select {
	case <-time.After(2 * time.Millisecond):
	case <-t.Context().Done():
		t.FailNow()
	}
}

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

func TestBodiesOfHTTP2TargetsAreFiltered(t *testing.T) {
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/empty":
		case "/trailers":
			w.Header().Set("Trailer", "X-Sum")
			fmt.Fprint(w, "quiet")
			w.Header().Set("X-Sum", "42")
		default:
			fmt.Fprint(w, "quiet")
			_ = http.NewResponseController(w).Flush()
			fmt.Fprint(w, " please")
		}
	}, nil)
	h := newOver2(up)
	h.filter = func(b []byte, last bool) []byte {
		out := bytes.ToUpper(b)
		if last {
			out = append(out, '!')
		}
		return out
	}
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true})
	for name, c := range map[string]*http.Client{"HTTP/1.1": http.DefaultClient, "HTTP/2": version2(t)} {
		for path, want := range map[string]string{"/": "QUIET PLEASE!", "/empty": "!", "/trailers": "QUIET!"} {
			resp, err := c.Get("http://" + addr + path)
			if got := whole(t, resp, err); got != want || (path == "/trailers") != (resp.Trailer.Get("X-Sum") == "42") {
				t.Errorf("%s %s: %q, trailers %v", name, path, got, resp.Trailer)
			}
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

// TestTargetThatTakesNoBodyStopsTheClient: what lies in between is bounded, and other
// streams of the connection go on.
func TestTargetThatTakesNoBodyStopsTheClient(t *testing.T) {
	goOn := make(chan struct{})
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			<-goOn
		}
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	}, nil)
	h := newOver2(up)
	h.plan.Send = time.Minute
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true})
	const size = 64 << 20
	for name, c := range map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{}}, "HTTP/2": version2(t)} {
		taken := &counting{}
		answer := make(chan string, 1)
		go func() {
			resp, err := c.Post("http://"+addr, "", io.TeeReader(io.LimitReader(zeros{}, size), taken))
			if err != nil {
				answer <- err.Error()
				return
			}
			b, err := io.ReadAll(resp.Body)
			answer <- fmt.Sprint(string(b), err)
		}()
		for still := int64(-1); still != taken.n.Load(); { // it has stopped
			still = taken.n.Load()
			for range 50 {
				pause(t)
			}
		}
		if n := taken.n.Load(); n > 24<<20 { // with the buffers of two sockets
			t.Errorf("%s: %d bytes were taken by nobody", name, n)
		}
		if status, body := ask(t, "http://"+addr+"/other"); status != 200 || body != "0" {
			t.Errorf("%s: beside it: %d %q", name, status, body)
		}
		goOn <- struct{}{}
		if got := <-answer; got != fmt.Sprint(size)+"<nil>" {
			t.Errorf("%s: %q, want %d", name, got, size)
		}
	}
}

type counting struct{ n atomic.Int64 }

func (c *counting) Write(b []byte) (int, error) { c.n.Add(int64(len(b))); return len(b), nil }

// TestConnectFailuresOfHTTP2FailEveryRequestThatWaits, each by itself, and another target
// takes them.
func TestConnectFailuresOfHTTP2FailEveryRequestThatWaits(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := ln.Addr().String()
	ln.Close()
	up := target2(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }, nil)
	for _, secure := range []bool{false, true} {
		h := newOver2(dead, up)
		h.pool.TLS = secure
		_, addr := startLoops(t, Options{Handler: h})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				resp, err := http.Post("http://"+addr, "", strings.NewReader("hello"))
				if secure { // nor does the other speak TLS
					if got := whole(t, resp, err); resp.StatusCode != 502 {
						t.Errorf("%d %q", resp.StatusCode, got)
					}
				} else if got := whole(t, resp, err); got != "hello" {
					t.Errorf("%d %q", resp.StatusCode, got)
				}
			})
		}
		wg.Wait()
		f := h.failed()
		for _, f := range f {
			if f.Kind != exchange.FailedConnect || f.Sent || !f.Replayable {
				t.Errorf("TLS %v: %+v", secure, f)
			}
		}
		if want := map[bool]int{false: 20, true: 40}[secure]; len(f) != want {
			t.Errorf("TLS %v: %d failures, want %d", secure, len(f), want)
		}
	}
}

func TestTargetThatAgreesOnAnotherProtocolIsNotSpokenTo(t *testing.T) {
	for _, protocols := range [][]string{nil, {"http/1.1"}} { // without ALPN, and with another
		ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{enginetest.SelfSigned(t, "a")}, NextProtos: protocols})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		said := make(chan string, 1)
		go func() {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			b, _ := io.ReadAll(c)
			said <- string(b)
		}()
		h := newOver2(ln.Addr().String())
		h.pool.TLS = true
		_, addr := startLoops(t, Options{Handler: h})
		if status, _ := ask(t, "http://"+addr); status != 502 {
			t.Errorf("%q: got %d", protocols, status)
		}
		if got := <-said; got != "" {
			t.Errorf("%q: the target was told %q", protocols, got)
		}
		f := h.failed()
		if len(f) != 1 || f[0].Kind != exchange.FailedConnect || f[0].Sent || protocols == nil && !strings.Contains(f[0].Err.Error(), "did not agree on h2") {
			t.Errorf("%q: failures %+v", protocols, f)
		}
	}
}

// TestSilentConnectionIsNotAskedAgain: a request that hears nothing of a connection in its
// time takes it from those to come.
func TestSilentConnectionIsNotAskedAgain(t *testing.T) {
	up := frames2(t, func(n int, fr *http2.Framer, _ net.Conn) {
		_ = fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if f, ok := f.(*http2.HeadersFrame); ok && n > 0 {
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: true})
			}
		}
	})
	h := newOver2(up)
	h.plan.Read = 100 * time.Millisecond
	_, addr := startLoops(t, Options{Handler: h})
	// The answer to our SETTINGS may come late, and is something.
	for i := range 3 {
		status, _ := ask(t, "http://"+addr)
		if status == 200 && i > 0 {
			return
		}
	}
	t.Errorf("the third request went to the silent connection, failures %+v", h.failed())
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

// TestMessagesMayPauseOnceTheAnswerHasBegun: neither side is slow when both have nothing to
// say for a while, as long as the target's time to read is.
func TestMessagesMayPauseOnceTheAnswerHasBegun(t *testing.T) {
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		_ = rc.Flush()
		buf := make([]byte, 16)
		for {
			n, err := r.Body.Read(buf)
			_, _ = w.Write(buf[:n])
			_ = rc.Flush()
			if err != nil {
				return
			}
		}
	}, nil)
	h := newOver2(up)
	const limit = 150 * time.Millisecond
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true, BodyTimeout: limit})
	for name, c := range map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{}}, "HTTP/2": version2(t)} {
		pr, pw := io.Pipe()
		resp, err := c.Post("http://"+addr, "", pr)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for range 3 {
			for begin := time.Now(); time.Since(begin) < 2*limit; {
				pause(t)
			}
			go func() { _, _ = io.WriteString(pw, "message") }()
			got := make([]byte, len("message"))
			if _, err := io.ReadFull(resp.Body, got); err != nil {
				t.Fatalf("%s: %v after %q", name, err, got)
			}
		}
		_ = pw.Close()
		if rest := whole(t, resp, nil); rest != "" {
			t.Errorf("%s: %q follows", name, rest)
		}
	}
}

// TestSlowClientOfAWholeAnswerGetsAllOfIt: the target's time to read ends with the answer.
func TestSlowClientOfAWholeAnswerGetsAllOfIt(t *testing.T) {
	const size = 8 << 20
	up := target2(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.CopyN(w, zeros{}, size)
		w.Header().Set("X-Sum", "42")
	}, nil)
	h := newOver2(up)
	h.plan.Read = 200 * time.Millisecond
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true})
	for name, c := range map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{}}, "HTTP/2": version2(t)} {
		resp, err := c.Get("http://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for range 4 {
			for begin := time.Now(); time.Since(begin) < 2*h.plan.Read; {
				pause(t)
			}
			k, err := io.CopyN(io.Discard, resp.Body, size/8)
			if n += k; err != nil {
				t.Fatalf("%s: %d bytes, %v", name, n, err)
			}
		}
		k, err := io.Copy(io.Discard, resp.Body)
		if n += k; n != size || err != nil || resp.Trailer.Get("X-Sum") != "42" {
			t.Errorf("%s: %d of %d bytes, %v, trailers %v", name, n, size, err, resp.Trailer)
		}
		_ = resp.Body.Close()
	}
}

// TestAnswerToHEADEndsWithItsHead, also when the target has not ended its stream.
func TestAnswerToHEADEndsWithItsHead(t *testing.T) {
	resets := make(chan string, 1)
	up := frames2(t, func(_ int, fr *http2.Framer, _ net.Conn) {
		_ = fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.HeadersFrame:
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, BlockFragment: []byte{0x88, 0x0f, 0x0d, 1, '5'}, EndHeaders: true})
			case *http2.RSTStreamFrame:
				resets <- f.ErrCode.String()
				_ = fr.WriteData(f.StreamID, true, nil) // was on its way
			}
		}
	})
	h := newOver2(up)
	_, addr := startLoops(t, Options{Handler: h})
	for range 2 {
		resp, err := http.Head("http://" + addr)
		if whole(t, resp, err); resp.StatusCode != 200 || resp.ContentLength != 5 {
			t.Errorf("%s, length %d", resp.Status, resp.ContentLength)
		}
		if r := <-h.done; r.Cut {
			t.Errorf("record %+v", r)
		}
		if code := <-resets; code != "NO_ERROR" {
			t.Errorf("the stream is reset with %s", code)
		}
	}
}

// TestConnectionThatDoesNotComeToBeIsGivenUp: the kernel tries for minutes, with longer and
// longer pauses. A target that is back is asked by another.
func TestConnectionThatDoesNotComeToBeIsGivenUp(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "full")
	ln, err := net.FileListener(file)
	_ = file.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	up := ln.Addr().String()
	for { // until nobody is let in any more
		c, err := net.DialTimeout("tcp", up, 100*time.Millisecond)
		if err != nil {
			break
		}
		defer c.Close()
	}
	h := newOver2(up)
	h.plan.Connect = 200 * time.Millisecond
	_, addr := startLoops(t, Options{Handler: h})
	if status, _ := ask(t, "http://"+addr); status != 502 {
		t.Errorf("got %d of a target that lets nobody in", status)
	}
	if f := h.failed(); len(f) != 1 || f[0].Kind != exchange.TimedOutConnect || f[0].Sent {
		t.Errorf("failures %+v", f)
	}
	s := &http.Server{Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	s.Protocols.SetUnencryptedHTTP2(true)
	go s.Serve(ln)
	defer s.Close()
	for { // it is back
		c, err := net.DialTimeout("tcp", up, 100*time.Millisecond)
		if err == nil {
			_ = c.Close()
			break
		}
	}
	h.mu.Lock()
	h.failures = nil
	h.mu.Unlock()
	if status, _ := ask(t, "http://"+addr); status != 200 {
		t.Errorf("got %d of a target that is back, failures %+v", status, h.failed())
	}
}

// TestClientThatPausesAtTheEndOfAWindowIsWaitedFor: the target has nothing to take.
func TestClientThatPausesAtTheEndOfAWindowIsWaitedFor(t *testing.T) {
	const window = "12345"
	up := frames2(t, func(_ int, fr *http2.Framer, nc net.Conn) {
		_ = fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(len(window))})
		answer := func(fr *http2.Framer, id uint32) {
			_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: true})
		}
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.HeadersFrame:
				if f.StreamEnded() {
					answer(fr, f.StreamID)
				}
			case *http2.DataFrame:
				if string(f.Data()) == window {
					id := f.StreamID // a frame is the framer's, and over with the next
					time.AfterFunc(500*time.Millisecond, func() { answer(http2.NewFramer(nc, nil), id) })
				}
			}
		}
	})
	h := newOver2(up)
	h.plan.Send = 100 * time.Millisecond
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true})
	for name, c := range map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{}}, "HTTP/2": version2(t)} {
		resp, err := c.Get("http://" + addr) // the window is known then
		whole(t, resp, err)
		pr, pw := io.Pipe()
		go func() { _, _ = io.WriteString(pw, window) }()
		resp, err = c.Post("http://"+addr, "", pr)
		if whole(t, resp, err); resp.StatusCode != 200 {
			t.Errorf("%s: %s, failures %+v", name, resp.Status, h.failed())
		}
		_ = pw.Close()
	}
}
