package enginetest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

func h2RequestAndAnswerPass(t *testing.T, b bench) {
	up := b.target(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header()["Content-Type"] = nil
		w.Header().Add("X-Multi", "1")
		w.Header().Add("X-Multi", "2")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "%s %s %s host=%s body=%s len=%d te=%q ua=%q cookie=%q tls=%t", r.Method, r.RequestURI, r.Proto, r.Host, body, r.ContentLength,
			r.Header.Get("Te"), r.Header["User-Agent"], r.Header["Cookie"], r.TLS != nil)
	})
	url := b.serve(t, b.handler(up))
	c := b.client(t)
	for target, want := range map[string]string{
		"/a%2Fb//c?x=%20&y": "/a%2Fb//c?x=%20&y", "//x//y": "//x//y", "/?": "/?", "/%7Euser/;p=1": "/%7Euser/;p=1",
	} {
		req, err := http.NewRequest(http.MethodPost, url+target, strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "H.example:81"
		req.Header = http.Header{"Te": {"trailers"}, "User-Agent": {""}, "Cookie": {"a=1; b=2"}}
		resp, err := c.Do(req)
		got := whole(t, resp, err)
		want = fmt.Sprintf(`POST %s HTTP/2.0 host=H.example:81 body=hello len=5 te="trailers" ua=[] cookie=["a=1; b=2"] tls=%t`, want, b.secure)
		if got != want || resp.StatusCode != http.StatusCreated || fmt.Sprint(resp.Header["X-Multi"], resp.Header["Server"], resp.Header["Content-Type"]) != "[1 2] [us] []" {
			t.Errorf("%s: %d %v\n got %s\nwant %s", target, resp.StatusCode, resp.Header, got, want)
		}
	}
}

// h2TrailersPassBothWays: those of a gRPC answer are announced by nobody.
func h2TrailersPassBothWays(t *testing.T, b bench) {
	up := b.target(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprintf(w, "%s %s", body, r.Trailer.Get("X-In"))
		w.Header().Set("X-Sum", "42")
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "7")
		w.Header().Add(http.TrailerPrefix+"X-Many", "1")
		w.Header().Add(http.TrailerPrefix+"X-Many", "2")
		w.Header().Set(http.TrailerPrefix+"Content-Length", "1") // must not frame anything
	})
	url := b.serve(t, b.handler(up))
	req, err := http.NewRequest(http.MethodPost, url, io.MultiReader(strings.NewReader("abc")))
	if err != nil {
		t.Fatal(err)
	}
	req.Trailer = http.Header{"X-In": {"yes"}}
	resp, err := b.client(t).Do(req)
	got := whole(t, resp, err)
	if trailers := fmt.Sprint(resp.Trailer); got != "abc yes" || trailers != "map[Grpc-Status:[7] X-Many:[1 2] X-Sum:[42]]" {
		t.Errorf("%q, trailers %s", got, trailers)
	}
}

// h2AnswerOfOneHeadIsWhole: gRPC answers so when there is nothing but an error.
func h2AnswerOfOneHeadIsWhole(t *testing.T, b bench) {
	up := b.scripted(t, func(_ int, c *frames) {
		for {
			stream, ok := c.request()
			if !ok {
				return
			}
			c.answer(stream, append([]byte{0x88, 0x00, 11}, "grpc-status\x0212"...), "", true)
		}
	})
	h := b.handler(up)
	url := b.serve(t, h)
	c := b.client(t)
	for range 2 {
		resp, err := c.Post(url, "", io.MultiReader(strings.NewReader("abc")))
		if got := whole(t, resp, err); got != "" || resp.StatusCode != 200 || resp.Header.Get("Grpc-Status") != "12" || len(resp.Trailer) > 0 {
			t.Errorf("%d %q, head %v, trailers %v", resp.StatusCode, got, resp.Header, resp.Trailer)
		}
		if r := <-h.Done; r.Cut {
			t.Errorf("record %+v", r)
		}
	}
}

func h2AnswersWithoutBodiesHaveNone(t *testing.T, b bench) {
	up := b.target(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/head":
			w.Header().Set("Content-Length", "5")
		}
	})
	h := b.handler(up)
	url := b.serve(t, h)
	c := b.client(t)
	for _, tc := range []struct {
		method, path string
		status       int
		length       string
	}{{"GET", "/204", 204, ""}, {"HEAD", "/head", 200, "5"}, {"HEAD", "/204", 204, ""}, {"GET", "/empty", 200, "0"}, {"GET", "/204", 204, ""}} {
		req, err := http.NewRequest(tc.method, url+tc.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if got := whole(t, resp, err); got != "" || resp.StatusCode != tc.status || resp.Header.Get("Content-Length") != tc.length {
			t.Errorf("%s %s: %d %q, head %v", tc.method, tc.path, resp.StatusCode, got, resp.Header)
		}
		if r := <-h.Done; r.Cut || r.Status != tc.status {
			t.Errorf("%s %s: record %+v", tc.method, tc.path, r)
		}
	}
}

// h2LengthOfAnAnswerNotModifiedIsNoBody: it is that of the answer which the client has.
// (Go's server does not pass it on.)
func h2LengthOfAnAnswerNotModifiedIsNoBody(t *testing.T, b bench) {
	up := b.scripted(t, func(_ int, c *frames) {
		for {
			stream, ok := c.request()
			if !ok {
				return
			}
			c.answer(stream, []byte{0x8b, 0x0f, 0x0d, 1, '5'}, "", true) // :status 304, content-length 5
		}
	})
	h := b.handler(up)
	url := b.serve(t, h)
	c := b.client(t)
	for range 2 {
		resp, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close() // Go's client of HTTP/2 waits for a body
		if r := <-h.Done; r.Cut || r.Status != 304 || r.Sent != 0 || resp.StatusCode != 304 {
			t.Errorf("%d, head %v, record %+v", resp.StatusCode, resp.Header, r)
		}
	}
}

func h2InterimAnswersPass(t *testing.T, b bench) {
	release := make(chan struct{})
	up := b.target(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		<-release
		w.Header().Del("Link")
		fmt.Fprint(w, "body")
	})
	url := b.serve(t, b.handler(up))
	var hints []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hints = append(hints, fmt.Sprint(code, h["Link"]))
		close(release)
		return nil
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.client(t).Do(req)
	if got := whole(t, resp, err); got != "body" || fmt.Sprint(hints) != "[103 [</a>; rel=preload]]" {
		t.Errorf("%q after %v", got, hints)
	}
}

// h2UpgradeIsNotAskedFor: HTTP/2 has no such thing, so the request goes without it.
func h2UpgradeIsNotAskedFor(t *testing.T, b bench) {
	up := b.target(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header["Upgrade"], r.Header["Connection"])
	})
	url := b.serve(t, b.handler(up))
	if b.two { // a client of it that asks sends what is no request (RFC 9113, 8.2.2)
		c := DialHTTP2(t, url)
		ask := func(stream uint32, more ...string) http2.Frame {
			block := Block(append([]string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/"}, more...)...)
			if err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block, EndStream: true, EndHeaders: true}); err != nil {
				t.Fatal(err)
			}
			return NextFrame(t, c, stream)
		}
		if f := ask(1, "connection", "upgrade", "upgrade", "echo"); !isRefusal(f) {
			t.Errorf("got %v, want a refusal", f)
		}
		if f, ok := ask(3).(*http2.HeadersFrame); !ok {
			t.Errorf("the next request: %v, want an answer", f)
		}
		return
	}
	got := Raw(t, strings.TrimPrefix(url, "http://"), "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if strings.Count(got, "HTTP/1.1 200 OK") != 2 || strings.Count(got, "[] []") != 2 && strings.Count(got, "[][]") != 2 {
		t.Errorf("got %q", got)
	}
}
