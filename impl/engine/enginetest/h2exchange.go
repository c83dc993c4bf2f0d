package enginetest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

func h2BodiesFlowOnManyStreams(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	})
	_, url := f.serve(t, Options{Handler: NewHandler(up)})
	c := f.client(t)
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

// h2TrailersPass: those of requests that are announced, and all of answers.
func h2TrailersPass(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprint(w, "asked with ", r.Trailer.Get("X-Asked"))
		w.Header().Set("X-Sum", "42")
		w.Header().Set(http.TrailerPrefix+"X-More", "43")
	})
	_, url := f.serve(t, Options{Handler: NewHandler(up)})
	req, _ := http.NewRequest(http.MethodPost, url+"/", io.MultiReader(strings.NewReader("a"), strings.NewReader("b")))
	req.Trailer = http.Header{"X-Asked": {"7"}}
	resp, err := f.client(t).Do(req)
	if got := whole(t, resp, err); got != "asked with 7" || resp.Trailer.Get("X-Sum") != "42" || resp.Trailer.Get("X-More") != "43" {
		t.Errorf("%q, trailer %v", got, resp.Trailer)
	}
}

func h2InterimAnswersReachTheClient(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.Header().Set("Keep-Alive", "timeout=5")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		fmt.Fprint(w, "ok")
	})
	_, url := f.serve(t, Options{Handler: NewHandler(up)})
	var got []string
	req, _ := http.NewRequest(http.MethodGet, url, nil)
	req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		got = append(got, fmt.Sprint(code, h.Get("Link"), h["Keep-Alive"]))
		return nil
	}}))
	resp, err := f.client(t).Do(req)
	if b := whole(t, resp, err); b != "ok" || resp.Header.Get("Link") != "" || fmt.Sprint(got) != "[103</a.css>[]]" {
		t.Errorf("%q, Link %q, interim %q", b, resp.Header.Get("Link"), got)
	}
}

func h2ExpectationIsMet(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	})
	_, url := f.serve(t, Options{Handler: NewHandler(up)})
	interim := 0
	req, _ := http.NewRequest(http.MethodPost, url, strings.NewReader("hello"))
	req.Header.Set("Expect", "100-continue")
	req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { interim++ }}))
	resp, err := f.client(t).Do(req) // which waits for it
	if got := whole(t, resp, err); got != "hello" || interim != 1 {
		t.Errorf("%q, %d times 100", got, interim)
	}
}

func h2AnswersWithoutABody(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"1"`)
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/304":
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "hello")
		}
	})
	_, url := f.serve(t, Options{Handler: NewHandler(up)})
	c := f.dial(t, url)
	for i, tc := range []struct{ method, path string }{{"GET", "/204"}, {"GET", "/304"}, {"HEAD", "/"}} {
		stream := uint32(2*i + 1)
		c.ask(stream, tc.method, tc.path)
		h, ok := c.next(stream).(*http2.HeadersFrame)
		if !ok {
			t.Fatalf("%s %s: got %v", tc.method, tc.path, h)
		}
		if h.StreamEnded() {
			continue
		}
		if got := c.body(stream); got != "" {
			t.Errorf("%s %s: body %q", tc.method, tc.path, got)
		}
	}
	resp, err := f.client(t).Head(url)
	if whole(t, resp, err); resp.ContentLength != 5 || resp.Header.Get("Etag") != `"1"` {
		t.Errorf("HEAD: length %d, %v", resp.ContentLength, resp.Header)
	}
}

// h2FieldsOfAConnectionAreNotPassedOn of an answer over HTTP/1.1.
func h2FieldsOfAConnectionAreNotPassedOn(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.Header().Set("Keep-Alive", "timeout=5")
		w.Header().Set("Proxy-Connection", "keep-alive")
		w.Header().Set("Upgrade", "h2c")
		fmt.Fprint(w, "ok")
	})
	_, url := f.serve(t, Options{Handler: NewHandler(up)})
	c := f.client(t)
	for range 2 { // the connection of the target has ended, and not that of the client
		resp, err := c.Get(url)
		got := whole(t, resp, err)
		for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Upgrade"} {
			if v := resp.Header[name]; v != nil {
				t.Errorf("%s: %q reaches the client", name, v)
			}
		}
		if got != "ok" {
			t.Errorf("body %q", got)
		}
	}
}

// malformedHeads differ from the head of a request in what they name.
var malformedHeads = map[string][]string{
	"no host":                      {":authority", ""},
	"two hosts":                    {":authority", "", "host", "h", "host", "h"},
	"another host":                 {"host", "other"},
	"a host with a blank":          {":authority", "h x"},
	"a host with a name before it": {":authority", "a@h"},
	"a method that is no token":    {":method", "GE T"},
	"a method that is nothing":     {":method", ""},
	"a target with its authority":  {":path", "http://h/"},
	"a target without a slash":     {":path", "a"},
	"a target with a blank":        {":path", "/a b"},
	"a target that is nothing":     {":path", ""},
	"a path above the root":        {":path", "/../a"},
	"a scheme that we do not have": {":scheme", "ftp"},
	"a length without a body":      {"content-length", "5"},
	"a length that is none":        {"content-length", "+0"},
	"two lengths":                  {"content-length", "0", "content-length", "0"},
	"a blank before a value":       {"x-a", " 1"},
	"a blank behind a value":       {"x-a", "1\t"},
	"an end of line in a value":    {"x-a", "1\r\nx-b: 2"},
	"a capital in a name":          {"X-a", "1"},
	"a blank in a name":            {"x a", "1"},
	"a field of a connection":      {"connection", "x-a"},
	"a coding":                     {"transfer-encoding", "chunked"},
	"another TE":                   {"te", "gzip"},
	"an unknown pseudo field":      {":x", "1"},
}

func h2MalformedHeadsAreRefused(t *testing.T, f front) {
	var asked atomic.Int64
	h := NewHandler(Backend(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	_, url := f.serve(t, Options{Handler: h})
	scheme, _, _ := strings.Cut(url, ":")
	for name, change := range malformedHeads {
		fields := []string{":method", "GET", ":scheme", scheme, ":authority", "h", ":path", "/"}
		for i := 0; i < len(change); i += 2 {
			at := len(fields)
			for j := 0; j < 8; j += 2 {
				if fields[j] == change[i] {
					at = j
				}
			}
			switch {
			case at < len(fields):
				fields[at+1] = change[i+1]
			case change[i][0] == ':':
				fields = append([]string{change[i], change[i+1]}, fields...)
			default:
				fields = append(fields, change[i], change[i+1])
			}
		}
		if fields[5] == "" {
			fields = append(fields[:4], fields[6:]...)
		}
		before := asked.Load()
		c := f.dial(t, url)
		c.head(1, true, fields...)
		if got := c.next(1); !isRefusal(got) {
			t.Errorf("%s: got %v, want a refusal", name, got)
		}
		if n := asked.Load() - before; n > 0 {
			t.Errorf("%s: it reached the target", name)
		}
		c.ask(3, http.MethodGet, "/")
		if got, ok := c.next(3).(*http2.HeadersFrame); !ok || isRefusal(got) {
			t.Errorf("%s: the next on the connection: %v", name, got)
		}
		<-h.Done
	}
}

func h2ConnectIsNotAllowed(t *testing.T, f front) {
	h := NewHandler()
	_, url := f.serve(t, Options{Handler: h, Server: "us"})
	c := f.dial(t, url)
	c.head(1, true, ":method", "CONNECT", ":authority", "h:80")
	if got, ok := c.next(1).(*http2.HeadersFrame); !ok || !hasStatus(got, "405") {
		t.Errorf("got %v, want 405", got)
	}
	c.ask(3, http.MethodGet, "/")
	if got, ok := c.next(3).(*http2.HeadersFrame); !ok {
		t.Errorf("the next on the connection: %v", got)
	}
}

func h2BodyOfAnotherLengthIsNone(t *testing.T, f front) {
	up := Backend(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	h := NewHandler(up)
	_, url := f.serve(t, Options{Handler: h})
	for _, length := range []string{"3", "5"} {
		c := f.dial(t, url)
		c.head(1, false, ":method", "POST", ":scheme", "http", ":authority", "shop.example", ":path", "/", "content-length", length)
		if err := c.WriteData(1, true, []byte("four")); err != nil {
			t.Fatal(err)
		}
		if f, ok := c.next(1).(*http2.RSTStreamFrame); !ok {
			t.Errorf("length %s: got %v, want a reset", length, f)
		}
		if r := <-h.Done; !r.Cut || r.CutReason != exchange.CutClientMalformed {
			t.Errorf("length %s: record %+v (%s), want cut, %s", length, r, r.CutReason, exchange.CutClientMalformed)
		}
	}
}

func h2TooLongABodyIsRefused(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, "ok")
	})
	_, url := f.serve(t, Options{Handler: NewHandler(up), MaxBody: 10})
	c := f.client(t)
	for size, want := range map[int]int{10: 200, 11: 413} {
		for name, body := range map[string]io.Reader{"known": bytes.NewReader(make([]byte, size)), "unknown": io.MultiReader(bytes.NewReader(make([]byte, size)))} {
			resp, err := c.Post(url, "", body)
			if whole(t, resp, err); resp.StatusCode != want {
				t.Errorf("%d bytes, length %s: %s, want %d", size, name, resp.Status, want)
			}
		}
	}
}

func h2EarlyAnswerEndsItsStreamOnly(t *testing.T, f front) {
	_, url := f.serve(t, Options{Handler: NewHandler()}) // which answers at once
	c := f.dial(t, url)
	c.head(1, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/", "content-length", "1000")
	if h, ok := c.next(1).(*http2.HeadersFrame); !ok {
		t.Fatalf("got %v, want the head of an answer", h)
	}
	if got := c.body(1); got != "bad" {
		t.Errorf("body %q", got)
	}
	if r, ok := c.next(1).(*http2.RSTStreamFrame); !ok || r.ErrCode != http2.ErrCodeNo {
		t.Errorf("got %v, want a reset with NO_ERROR", r)
	}
	_ = c.WriteData(1, true, make([]byte, 1000)) // was on its way
	c.ask(3, http.MethodGet, "/")
	if h, ok := c.next(3).(*http2.HeadersFrame); !ok {
		t.Errorf("the next on the connection: %v", h)
	}
}

// h2StreamMayPause: neither side is slow when both have nothing to say for a while.
func h2StreamMayPause(t *testing.T, f front) {
	const limit = 150 * time.Millisecond
	goOn := make(chan struct{})
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 4 {
			fmt.Fprint(w, "part")
			_ = http.NewResponseController(w).Flush()
			<-goOn
		}
	})
	defer close(goOn) // or the target would wait for ever
	h := NewHandler(up)
	_, url := f.serve(t, Options{Handler: h, BodyTimeout: limit})
	resp, err := f.client(t).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for i := range 4 {
		got := make([]byte, len("part"))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != "part" {
			t.Fatalf("part %d: %q %v", i, got, err)
		}
		<-time.After(3 * limit)
		goOn <- struct{}{}
	}
	if rest := whole(t, resp, nil); rest != "" {
		t.Errorf("%q follows", rest)
	}
	if r := <-h.Done; r.Cut {
		t.Errorf("record %+v (%s)", r, r.CutReason)
	}
}
