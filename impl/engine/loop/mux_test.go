package loop

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// version2 is a client that speaks HTTP/2 and nothing else, without TLS.
func version2(t *testing.T) *http.Client {
	t.Helper()
	return enginetest.HTTP2Client(t)
}

func startBoth(t *testing.T, o Options) (e *Engine, url string) {
	t.Helper()
	o.HTTP2 = true
	e, addr := startLoops(t, o)
	return e, "http://" + addr
}

// target is a server of HTTP/1.1 that answers as the test says.
func answering(t *testing.T, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func whole(t *testing.T, resp *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if _ = resp.Body.Close(); err != nil {
		t.Fatalf("%v after %q", err, b)
	}
	return string(b)
}

func TestHTTP2CarriesRequestsAndAnswers(t *testing.T) {
	up := answering(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Add("X-Multi", "1")
		w.Header().Add("X-Multi", "2")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "%s %s %s host=%s body=%s cookie=%q trailer=%v", r.Method, r.RequestURI, r.Proto, r.Host, body, r.Header["Cookie"], r.Trailer)
	})
	_, url := startBoth(t, Options{Handler: enginetest.NewHandler(up)})
	c := version2(t)
	req, _ := http.NewRequest(http.MethodPost, url+"/a%2Fb//c?x=%20&y", strings.NewReader("hello"))
	req.Host = "h.example:81"
	req.Header.Set("Cookie", "a=1; b=2")
	resp, err := c.Do(req)
	got := whole(t, resp, err)
	if want := `POST /a%2Fb//c?x=%20&y HTTP/1.1 host=h.example:81 body=hello cookie=["a=1; b=2"] trailer=map[]`; got != want {
		t.Errorf("the target saw %q, want %q", got, want)
	}
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusCreated || fmt.Sprint(resp.Header["X-Multi"]) != "[1 2]" || resp.Header.Get("Date") == "" {
		t.Errorf("answer %s %s %v", resp.Proto, resp.Status, resp.Header)
	}
	for _, method := range []string{http.MethodHead, http.MethodDelete, http.MethodOptions} {
		req, _ := http.NewRequest(method, url+"/", nil)
		resp, err := c.Do(req)
		if b := whole(t, resp, err); resp.StatusCode != http.StatusCreated || (method == http.MethodHead) != (b == "") {
			t.Errorf("%s: %s %q", method, resp.Status, b)
		}
	}
	// The other version still works there.
	resp, err = http.Get(url + "/")
	if whole(t, resp, err); resp.ProtoMajor != 1 {
		t.Errorf("without asking for it: %s", resp.Proto)
	}
}

func TestHTTP2IsAgreedOnInTheHandshake(t *testing.T) {
	pair := enginetest.SelfSigned(t, "a.example")
	crt, err := certs.Compile(certs.Spec{ID: "a", Names: []string{"a.example"}, Pairs: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	s := certs.NewServer(certs.Options{Protocols: []string{"h2", "http/1.1"}}, time.Now())
	s.Use((&certs.Table{}).With(crt))
	up := answering(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	_, addr := startLoops(t, Options{Handler: enginetest.NewHandler(up), TLS: s, HTTP2: true})
	for _, offered := range [][]string{{"h2", "http/1.1"}, {"http/1.1"}, nil} {
		p := &http.Protocols{}
		p.SetHTTP1(true)
		p.SetHTTP2(len(offered) > 1)
		tr := &http.Transport{TLSClientConfig: &tls.Config{ServerName: "a.example", InsecureSkipVerify: true, NextProtos: offered}, Protocols: p}
		resp, err := (&http.Client{Transport: tr, Timeout: 20 * time.Second}).Get("https://" + addr + "/")
		want := 1
		if len(offered) > 1 {
			want = 2
		}
		if got := whole(t, resp, err); got != "ok" || resp.ProtoMajor != want {
			t.Errorf("offered %v: %s %q", offered, resp.Proto, got)
		}
		tr.CloseIdleConnections()
	}
}

func TestHTTP2BodiesFlowBothWaysAtOnceOnManyStreams(t *testing.T) {
	up := answering(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	})
	_, url := startBoth(t, Options{Handler: enginetest.NewHandler(up)})
	c := version2(t)
	const streams, size = 40, 1 << 20
	var all sync.WaitGroup
	for i := range streams {
		all.Go(func() {
			want := bytes.Repeat([]byte{byte('a' + i%26)}, size)
			resp, err := c.Post(url+"/", "", bytes.NewReader(want))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, want) {
				t.Errorf("stream %d: %d bytes, %v, want %d of %c", i, len(got), err, size, want[0])
			}
		})
	}
	all.Wait()
}

func TestHTTP2TrailersPassBothWays(t *testing.T) {
	up := answering(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprint(w, "asked with ", r.Trailer.Get("X-Asked"))
		w.Header().Set("X-Sum", "42")
	})
	_, url := startBoth(t, Options{Handler: enginetest.NewHandler(up)})
	req, _ := http.NewRequest(http.MethodPost, url+"/", io.MultiReader(strings.NewReader("a"), strings.NewReader("b")))
	req.Trailer = http.Header{"X-Asked": {"7"}}
	resp, err := version2(t).Do(req)
	if got := whole(t, resp, err); got != "asked with 7" || resp.Trailer.Get("X-Sum") != "42" {
		t.Errorf("%q, trailer %v", got, resp.Trailer)
	}
}

func TestHTTP2ClientThatResetsAStreamEndsItsRequestOnly(t *testing.T) {
	asked, left := make(chan struct{}, 1), make(chan struct{})
	up := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			asked <- struct{}{}
			<-r.Context().Done()
			close(left)
			return
		}
		fmt.Fprint(w, "ok")
	})
	h := enginetest.NewHandler(up)
	_, url := startBoth(t, Options{Handler: h})
	c := version2(t)
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+"/slow", nil)
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
		t.Errorf("the request that was given up: %v", err)
	}
	select {
	case <-left:
	case <-time.After(20 * time.Second):
		t.Fatal("the target was not told")
	}
	if r := <-h.Done; !r.Cut || r.CutReason != exchange.CutClientReset {
		t.Errorf("record %+v (%s), want cut, %s", r, r.CutReason, exchange.CutClientReset)
	}
	resp, err := c.Get(url + "/")
	if got := whole(t, resp, err); got != "ok" {
		t.Errorf("the next on the connection: %q", got)
	}
}

func TestHTTP2StreamThatIsNotReadHoldsUpNoOther(t *testing.T) {
	up := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			_, _ = io.CopyN(w, zeros{}, 8<<20)
			return
		}
		fmt.Fprint(w, "ok")
	})
	_, url := startBoth(t, Options{Handler: enginetest.NewHandler(up)})
	c := version2(t)
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

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestHTTP2AnswerThatBreaksOffResetsItsStream(t *testing.T) {
	up := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/whole" {
			fmt.Fprint(w, "ok")
			return
		}
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	_, url := startBoth(t, Options{Handler: enginetest.NewHandler(up)})
	c := version2(t)
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

func TestHTTP2ConnectionDrainsWithoutLosingAStream(t *testing.T) {
	begun, end := make(chan struct{}, 8), make(chan struct{})
	up := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-end
		fmt.Fprint(w, "late")
	})
	e, err := New(Options{Handler: enginetest.NewHandler(up), HTTP2: true, Poison: true})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := e.Listen(t.Context(), "127.0.0.1:0", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- e.Serve(ln) }()
	c := version2(t)
	got := make(chan string, 8)
	for range 8 {
		go func() {
			resp, err := c.Get("http://" + ln.Addr().String() + "/")
			if err != nil {
				got <- err.Error()
				return
			}
			b, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
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
	<-ln.closed // Shutdown is under way
	close(end)
	for range 8 {
		if s := <-got; s != "late<nil>" {
			t.Errorf("a request under way at the drain: %s", s)
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v, %d in flight", err, e.InFlight())
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestHTTP2BodyThatStopsIsGivenUp(t *testing.T) {
	up := answering(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	h := enginetest.NewHandler(up)
	_, url := startBoth(t, Options{Handler: h, BodyTimeout: 200 * time.Millisecond})
	pr, pw := io.Pipe()
	defer pw.Close()
	go func() { _, _ = pw.Write([]byte("begin")) }() // and nothing more
	resp, err := version2(t).Post(url+"/", "", pr)
	if err == nil {
		_ = resp.Body.Close()
		t.Errorf("a body that stops: %s, want a reset", resp.Status)
	}
	if r := <-h.Done; !r.Cut || r.CutReason != exchange.CutClientNotSending {
		t.Errorf("record %+v (%s), want cut, %s", r, r.CutReason, exchange.CutClientNotSending)
	}
}

func TestHTTP2ConnectFailureIsTriedAgainWithTheWholeBody(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := ln.Addr().String()
	ln.Close()
	up := answering(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	})
	_, url := startBoth(t, Options{Handler: enginetest.NewHandler(dead, up)})
	want := strings.Repeat("0123456789", 3000)
	resp, err := version2(t).Post(url+"/", "", strings.NewReader(want))
	if got := whole(t, resp, err); got != want {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
}

func TestWhatIsNoHTTP1IsNotAnsweredByItWhereHTTP2IsServed(t *testing.T) {
	_, url := startBoth(t, Options{Handler: enginetest.NewHandler()})
	addr := strings.TrimPrefix(url, "http://")
	for request, want := range map[string]string{
		"INVALID CONNECTION PREFACE\r\n\r\n": "", "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n": "HTTP/1.1 505", "GET / http/1.1\r\n\r\n": "HTTP/1.1 ", "GET /\r\n\r\n": "",
	} {
		if got := enginetest.Raw(t, addr, request); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%q: %q, want %q", request, got, want)
		}
	}
}
