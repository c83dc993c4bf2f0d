package h1

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

func TestRequestIsWrittenWithItsEdits(t *testing.T) {
	x := parsed(t, "POST http://a.example/x?y HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive, X-Private\r\nKeep-Alive: 5\r\nX-Private: 1\r\nX-Public: 2\r\nContent-Length: 5\r\nUpgrade: x\r\n\r\n")
	x.Plan.Host = "b.example:80"
	x.RequestEdits.Remove("X-Private")
	x.RequestEdits.Set("X-Real-IP", "::1")
	x.RequestEdits.Set("Content-Length", "7")
	x.RequestEdits.Set("host", "c.example")
	x.RequestEdits.Add("TE", "trailers")
	for f, tail := range map[string]string{
		"5":       "Content-Length: 5\r\nConnection: TE\r\n\r\n",
		"chunked": "Transfer-Encoding: chunked\r\nTrailer: X-Sum, X-More\r\nConnection: TE, close\r\n\r\n",
		"none":    "Connection: Upgrade, TE\r\n\r\n",
	} {
		out, upgrade := OutFraming{Length: 5}, ""
		switch f {
		case "chunked":
			out = OutFraming{Length: Chunked, Close: true, Trailer: exchange.Fields{{Name: "X-Sum"}, {Name: "Host"}, {Name: "a\r\nb"}, {Name: "X-More"}}}
		case "none":
			out, upgrade = OutFraming{Length: None}, "Upgrade: websocket\r\n"
		}
		x.Plan.Upgrade, x.Request.Upgrade = upgrade != "", "websocket"
		want := "POST /x?y HTTP/1.1\r\nHost: b.example:80\r\nX-Public: 2\r\nX-Real-IP: ::1\r\nTE: trailers\r\n" + upgrade + tail
		if got := string(AppendRequest(nil, x, out)); got != want {
			t.Errorf("%s: got %q, want %q", f, got, want)
		}
	}
}

func TestRequestsWithoutABodySaySoWhereItMatters(t *testing.T) {
	for method, want := range map[string]int64{"GET": None, "DELETE": None, "POST": 0, "PUT": 0, "PATCH": 0} {
		if got := RequestFraming(&exchange.Request{Method: method}); got.Length != want {
			t.Errorf("%s without a body: got %d, want %d", method, got.Length, want)
		}
		for length, want := range map[int64]int64{5: 5, -1: Chunked} {
			if got := RequestFraming(&exchange.Request{Method: method, BodyLength: length}); got.Length != want {
				t.Errorf("%s with %d bytes: got %d, want %d", method, length, got.Length, want)
			}
		}
	}
}

func TestNothingThatIsWrittenEndsALineEarly(t *testing.T) {
	x := parsed(t, small)
	x.Request.Target = "/a b\r\nX-Smuggled: 1\x00\x7f#"
	x.Plan.Host = "a\r\nX-Smuggled: 1"
	x.RequestEdits.Set("X-Value", "one\r\nX-Smuggled: 1\x00")
	x.RequestEdits.Set("X-Name\r\nX-Smuggled", "1")
	x.RequestEdits.Set("", "1")
	got := string(AppendRequest(nil, x, OutFraming{Length: None}))
	want := "GET /a%20b%0D%0AX-Smuggled:%201%00%7F%23 HTTP/1.1\r\nHost: a  X-Smuggled: 1\r\nX-Value: one  X-Smuggled: 1 \r\n\r\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got = string(AppendChunkEnd(nil, exchange.Fields{{Name: "X", Value: "1\r\n\r\nGET"}, {Name: "X y", Value: "1"}, {Name: "Host", Value: "a"}}))
	if want := "0\r\nX: 1    GET\r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnswerIsWrittenForItsClient(t *testing.T) {
	fields := exchange.Fields{{Name: "Connection", Value: "x"}, {Name: "Upgrade", Value: "u"}, {Name: "Content-Length", Value: "9"}, {Name: "Keep-Alive", Value: "5"},
		{Name: "Transfer-Encoding", Value: "gzip"}, {Name: "X-Up", Value: "1"}, {Name: "Server", Value: "be"}}
	var edits exchange.Edits
	edits.Set("Server", "APISIX")
	dated := exchange.Fields{{Name: "date", Value: "then"}}
	for _, c := range []struct {
		proto  exchange.Proto
		status int
		fields exchange.Fields
		f      OutFraming
		want   string
	}{
		{exchange.HTTP11, 200, fields, OutFraming{Length: 5}, "HTTP/1.1 200 OK\r\nUpgrade: u\r\nX-Up: 1\r\nServer: APISIX\r\nContent-Length: 5\r\n\r\n"},
		{exchange.HTTP11, 299, nil, OutFraming{}, "HTTP/1.1 299 \r\nServer: APISIX\r\nContent-Length: 0\r\n\r\n"},
		{exchange.HTTP11, 999, nil, OutFraming{Close: true}, "HTTP/1.1 999 \r\nServer: APISIX\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{exchange.HTTP11, 404, nil, OutFraming{Length: Chunked, Trailer: exchange.Fields{{Name: "X-Sum"}}}, "HTTP/1.1 404 Not Found\r\nServer: APISIX\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"},
		{exchange.HTTP11, 200, nil, OutFraming{Date: "now"}, "HTTP/1.1 200 OK\r\nServer: APISIX\r\nContent-Length: 0\r\nDate: now\r\n\r\n"},
		{exchange.HTTP11, 200, dated, OutFraming{Date: "now"}, "HTTP/1.1 200 OK\r\ndate: then\r\nServer: APISIX\r\nContent-Length: 0\r\n\r\n"},
		{exchange.HTTP10, 200, nil, OutFraming{Length: 5}, "HTTP/1.1 200 OK\r\nServer: APISIX\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"},
		{exchange.HTTP10, 200, nil, OutFraming{Length: Chunked}, "HTTP/1.1 200 OK\r\nServer: APISIX\r\nConnection: close\r\n\r\n"},
		{exchange.HTTP11, 204, nil, OutFraming{}, "HTTP/1.1 204 No Content\r\nServer: APISIX\r\n\r\n"},
		{exchange.HTTP11, 304, nil, OutFraming{Length: 9}, "HTTP/1.1 304 Not Modified\r\nServer: APISIX\r\nContent-Length: 9\r\n\r\n"},
		{exchange.HTTP11, 304, nil, OutFraming{Length: Chunked}, "HTTP/1.1 304 Not Modified\r\nServer: APISIX\r\n\r\n"},
		{exchange.HTTP11, 200, nil, OutFraming{Length: None, Close: true}, "HTTP/1.1 200 OK\r\nServer: APISIX\r\nConnection: close\r\n\r\n"},
		{exchange.HTTP11, 101, fields, OutFraming{Close: true, Date: "now"}, "HTTP/1.1 101 Switching Protocols\r\nConnection: x\r\nUpgrade: u\r\nKeep-Alive: 5\r\nX-Up: 1\r\nServer: APISIX\r\n\r\n"},
		{exchange.HTTP11, 103, fields, OutFraming{Close: true}, "HTTP/1.1 103 Early Hints\r\nUpgrade: u\r\nX-Up: 1\r\nServer: APISIX\r\n\r\n"},
	} {
		if got := string(AppendAnswer(nil, c.proto, c.status, c.fields, edits, c.f)); got != c.want {
			t.Errorf("%d for %v: got %q, want %q", c.status, c.proto, got, c.want)
		}
	}
}

// TestEditsWhileWritingAreThoseOfApply compares with exchange.Apply over random
// fields and edits of few names.
func TestEditsWhileWritingAreThoseOfApply(t *testing.T) {
	const seed = 11
	rnd := rand.New(rand.NewPCG(seed, 0))
	names := []string{"X-A", "x-a", "X-B", "Date", "TE", "te", "X-Longer-Name", "x-longer-name", "Y-A"}
	name := func() string { return names[rnd.IntN(len(names))] }
	for i := range 5000 {
		x := exchange.Exchange{Request: exchange.Request{Method: "GET", Target: "/"}}
		for k := range rnd.IntN(8) {
			x.Request.Fields = append(x.Request.Fields, exchange.Field{Name: name(), Value: fmt.Sprint(k)})
		}
		for k := range rnd.IntN(6) {
			x.RequestEdits = append(x.RequestEdits, exchange.Edit{Op: exchange.Op(rnd.IntN(3)), Name: name(), Value: fmt.Sprint("e", k)})
		}
		want, te := "GET / HTTP/1.1\r\nHost: \r\n", ""
		for _, f := range exchange.Apply(nil, x.Request.Fields, x.RequestEdits) {
			want += f.Name + ": " + f.Value + "\r\n"
			if strings.EqualFold(f.Name, "te") {
				te = "Connection: TE\r\n"
			}
		}
		want += te + "\r\n"
		if got := string(AppendRequest(nil, &x, OutFraming{Length: None})); got != want {
			t.Fatalf("seed %d, round %d: got %q, want %q of %v with %v", seed, i, got, want, x.Request.Fields, x.RequestEdits)
		}
	}
}

// TestWhatIsWrittenIsReadAgain sends messages through parser, writer and parser.
func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	for _, text := range messages[Request] {
		r := read(Request, text)
		for _, m := range r.got {
			if m.Method == "CONNECT" || m.Host == "" {
				continue
			}
			x := &exchange.Exchange{Request: exchange.Request{Method: m.Method, Target: m.Target, Fields: m.Fields, BodyLength: m.Length, Upgrade: m.Framing.Upgrade}}
			x.Plan.Host, x.Plan.Upgrade = m.Authority, m.Framing.Upgrade != ""
			out := AppendRequest(nil, x, RequestFraming(&x.Request))
			if m.Length > 0 {
				out = append(out, m.Body...)
			}
			if m.Length < 0 {
				out = append(AppendChunkHead(out, len(m.Body)), m.Body+ChunkTail...)
				out = AppendChunkEnd(out, m.Trailers)
			}
			again := read(Request, string(out))
			if again.err != nil || len(again.got) != 1 || len(again.buf) != 0 {
				t.Errorf("got %v of %q", again, out)
				continue
			}
			if a := again.got[0]; a.Target != m.Target || a.Path != m.Path || a.Host != m.Host || a.Body != m.Body || !a.Whole || a.Framing.Upgrade != m.Framing.Upgrade || fmt.Sprint(a.Trailers) != fmt.Sprint(m.Trailers) {
				t.Errorf("got %+v, want %+v", a, m)
			}
		}
	}
}
