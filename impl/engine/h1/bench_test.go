package h1

import (
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

// browserEdits are what the pipeline asks of the head of a browser.
func browserEdits(x *exchange.Exchange) {
	e := &x.RequestEdits
	*e = (*e)[:0]
	e.Remove("Connection")
	e.Remove("Expect")
	e.Remove("Forwarded")
	e.Set("X-Real-IP", "127.0.0.1")
	e.Set("X-Forwarded-For", "127.0.0.1")
	e.Set("X-Forwarded-Proto", "http")
	e.Set("X-Forwarded-Host", "www.example.com")
	e.Set("X-Forwarded-Port", "80")
}

func benchmarkRequest(b *testing.B, text string) {
	var x exchange.Exchange
	var f Framing
	head := []byte(text)
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		var s Scan
		n, err := s.Head(head, MaxHead, Request)
		if n != len(head) || err != nil {
			b.Fatal(n, err)
		}
		x.Arena.Reset()
		if err := ParseRequest(head[:n], &x.Request, &x.Arena, &f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseSmall(b *testing.B)   { benchmarkRequest(b, small) }
func BenchmarkParseBrowser(b *testing.B) { benchmarkRequest(b, browser) }

func BenchmarkScanBrowser(b *testing.B) {
	head := []byte(browser)
	for b.Loop() {
		var s Scan
		if n, err := s.Head(head, MaxHead, Request); n != len(head) {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkParseAnswer(b *testing.B) {
	var x exchange.Exchange
	var f Framing
	head := []byte(answer)
	b.ReportAllocs()
	for b.Loop() {
		var s Scan
		n, err := s.Head(head, MaxHead, Answer)
		if err != nil {
			b.Fatal(err)
		}
		if err := ParseAnswer(head[:n], "GET", &x.Response, &f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendRequest(b *testing.B) {
	x := parsed(b, browser)
	browserEdits(x)
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendRequest(dst[:0], x, OutFraming{Length: None})
	}
}

func BenchmarkAppendAnswer(b *testing.B) {
	x, f := parsedAnswer(b, answer)
	x.ResponseEdits.Set("Server", "APISIX/3.18.0")
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendAnswer(dst[:0], exchange.HTTP11, x.Response.Status, x.Response.Fields, x.ResponseEdits, OutFraming{Length: f.Length})
	}
}

func BenchmarkChunks(b *testing.B) {
	body := []byte("5;a=b\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n")
	b.SetBytes(int64(len(body)))
	var d Body
	for b.Loop() {
		d.Begin(Chunked)
		for rest := body; ; {
			_, n, done, err := d.Next(rest)
			if err != nil {
				b.Fatal(err)
			}
			if rest = rest[n:]; done {
				break
			}
		}
	}
}

// parsed is an exchange with the request of text.
func parsed(t testing.TB, text string) *exchange.Exchange {
	t.Helper()
	x := &exchange.Exchange{}
	var s Scan
	var f Framing
	n, err := s.Head([]byte(text), MaxHead, Request)
	if err != nil || n == 0 {
		t.Fatalf("got %d, %v of %q", n, err, text)
	}
	if err := ParseRequest([]byte(text[:n]), &x.Request, &x.Arena, &f); err != nil {
		t.Fatalf("got %v of %q", err, text)
	}
	x.Plan.Host = x.Request.Authority
	return x
}

func parsedAnswer(t testing.TB, text string) (*exchange.Exchange, Framing) {
	t.Helper()
	x := &exchange.Exchange{}
	var s Scan
	var f Framing
	n, err := s.Head([]byte(text), MaxHead, Answer)
	if err != nil || n == 0 {
		t.Fatalf("got %d, %v of %q", n, err, text)
	}
	if err := ParseAnswer([]byte(text[:n]), "GET", &x.Response, &f); err != nil {
		t.Fatalf("got %v of %q", err, text)
	}
	return x, f
}
