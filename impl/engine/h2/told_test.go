package h2

import (
	"bytes"
	"testing"
)

func TestRequestIsWrittenAsHTTP2WantsIt(t *testing.T) {
	m := newCaller(Options{})
	if !bytes.HasPrefix(m.out, []byte(Preface)) {
		t.Fatalf("the connection begins with %q", m.out)
	}
	same(t, "first frames", m.sent(), "settings 3", "window 0 33488897")
	x := asking("PATCH", "/a b?c=\x01", "Shop.Example:81", "Accept: */*", "X-Odd: a\x01b ", "Host: other", "Connection: X-Named", "Keep-Alive: 5", "Upgrade: x", "Proxy-Connection: y",
		"Transfer-Encoding: chunked", "Content-Length: 7", "TE: gzip, Trailers;q=0.5, trailers", "Cookie: a=b", "Trailer: X-No", "X-Gone: 1", "X-Set: old")
	x.RequestEdits.Remove("x-gone")
	x.RequestEdits.Set("X-Set", "new")
	x.RequestEdits.Set("Host", "evil")
	x.RequestEdits.Add("TE", "gzip")
	s := m.c.Request(x, Ask{Scheme: "https", Length: NoLength, Trailer: fields("X-Sum: ", "Host: ")})
	if s == nil || s.ID() != 1 {
		t.Fatalf("got %+v, want stream 1", s)
	}
	same(t, "request", m.sent(), "headers 1 [:method: PATCH, :scheme: https, :authority: Shop.Example:81, :path: /a%20b?c=%01, accept: */*, x-odd: a b, cookie: a=b, x-set: new, te: trailers, trailer: X-Sum]")
	m.ask()
	m.c.Request(asking("POST", "/x", ""), Ask{Scheme: "http", Length: 5})
	same(t, "others", m.sent(), "headers 3 [:method: GET, :scheme: http, :authority: a.example, :path: /] end", "headers 5 [:method: POST, :scheme: http, :path: /x, content-length: 5]")
}

func TestAnswersAreToldOf(t *testing.T) {
	m, w := standing(Options{})
	for range 4 {
		m.ask()
	}
	up := m.upload()
	if n := up.Data([]byte("hello"), false); n != 5 {
		t.Fatalf("took %d bytes of the body", n)
	}
	up.End(fields("X-Sum: 9", "Content-Length: 3"))
	m.sent()
	w.headers(1, false, ":status: 103", "link: </a>").headers(1, false, status200, "content-length: 3", "x-a: b", "set-cookie: 1", "set-cookie: 2", "trailer: x-t")
	w.data(1, false, "ab").data(1, true, "c")
	w.headers(3, true, status200, "grpc-status: 5")
	w.headers(5, false, status200).data(5, false, "m").headers(5, true, "grpc-status: 0", "content-type: x")
	w.headers(7, true, ":status: 204").headers(9, false, ":status: 599").data(9, true, "")
	m.feed(w.take())
	same(t, "told", m.log, `interim 1: 103 [{"link" "</a>"}]`,
		`answer 1: 200 [{"x-a" "b"} {"set-cookie" "1"} {"set-cookie" "2"}] length 3 of 3 end false trailer "x-t"`, "data 1 abc end",
		`answer 3: 200 [{"grpc-status" "5"}] length 0 of -1 end true trailer ""`,
		`answer 5: 200 [] length -1 of -1 end false trailer ""`, "data 5 m", `trailers 5 [{"grpc-status" "0"}]`,
		`answer 7: 204 [] length 0 of -1 end true trailer ""`, `answer 9: 599 [] length -1 of -1 end false trailer ""`, "data 9  end")
	if m.err != nil || m.c.Streams() != 0 || m.c.Done() {
		t.Errorf("%v, %d streams, done %v", m.err, m.c.Streams(), m.c.Done())
	}
	same(t, "sent", m.sent())
}

func TestAnswersToHEADHaveNoBody(t *testing.T) {
	m, w := standing(Options{})
	head := func() { m.c.Request(asking("HEAD", "/", "a"), Ask{Length: NoLength, End: true}) }
	head()
	head()
	m.ask()
	w.headers(1, true, status200, "content-length: 10").headers(3, false, status200, "content-length: 10").data(3, false, "x")
	w.headers(5, false, ":status: 304", "content-length: 10").data(5, true, "")
	m.feed(w.take())
	same(t, "told", m.log, `answer 1: 200 [] length 10 of 10 end true trailer ""`, `answer 3: 200 [] length 10 of 10 end false trailer ""`,
		"reset 3: length_differs PROTOCOL_ERROR untouched false", `answer 5: 304 [] length 0 of 10 end false trailer ""`, "data 5  end")
}

// TestAnswersDieWithTheirCallback: what somebody keeps of them shows.
func TestAnswersDieWithTheirCallback(t *testing.T) {
	m, w := standing(Options{})
	m.ask()
	kept := ""
	m.onAnswer = func(s *Stream) { kept = s.x.Response.Fields[0].Value }
	w.Write(framed(1, true, unindexed([]string{status200, "x-a: value"})))
	if m.feed(w.take()); kept == "value" || len(kept) != len("value") {
		t.Errorf("a value lives on as %q", kept)
	}
}
