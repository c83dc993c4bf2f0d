package h1

import (
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

// TestNothingIsAllocatedForAMessage is the gate of the request path: once slices
// have grown, heads, bodies with trailers and writing take no memory.
func TestNothingIsAllocatedForAMessage(t *testing.T) {
	var x exchange.Exchange
	var f Framing
	dst := make([]byte, 0, 8<<10)
	request := func(text string) func() {
		b := []byte(text)
		return func() {
			var s Scan
			n, err := s.Head(b, MaxHead, Request)
			if n == 0 || err != nil {
				t.Fatalf("got %d, %v", n, err)
			}
			x.Arena.Reset()
			if err := ParseRequest(b[:n], &x.Request, &x.Arena, &f); err != nil {
				t.Fatal(err)
			}
		}
	}
	var d Body
	body := func(length int64, text string) func() {
		b := []byte(text)
		return func() {
			d.Begin(length)
			for rest, done, n := b, false, 0; !done; rest = rest[n:] {
				var err error
				if _, n, done, err = d.Next(rest); err != nil || n == 0 && !done {
					t.Fatalf("got %d, %v", n, err)
				}
			}
			if length == Chunked && len(d.Trailers()) != 2 {
				t.Fatalf("got the trailers %v", d.Trailers())
			}
		}
	}
	out := parsed(t, browser)
	browserEdits(out)
	answerBytes := []byte(answer[:len(answer)-len("hello")])
	var ax exchange.Exchange
	var names exchange.Fields
	for name, f := range map[string]func(){
		"small head":        request(small),
		"head of a browser": request(browser),
		"absolute form":     request("GET http://Shop.Example?q HTTP/1.1\r\nHost: shop.example:80\r\n\r\n"),
		"IPv6 host":         request("GET /%61/../b HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n"),
		"answer": func() {
			if err := ParseAnswer(answerBytes, "GET", &ax.Response, &f); err != nil {
				t.Fatal(err)
			}
		},
		"plain body":  body(5, "hello"),
		"chunks":      body(Chunked, "5;a=\"b\"\r\nhello\r\n3\r\nabc\r\n0\r\nX: y\r\nHost: a\r\nZ: 1\r\n\r\n"),
		"request out": func() { dst = AppendRequest(dst[:0], out, OutFraming{Length: Chunked, Trailer: names}) },
		"answer out": func() {
			dst = AppendAnswer(dst[:0], exchange.HTTP10, 200, out.Request.Fields, out.RequestEdits, OutFraming{Length: 5, Date: "now"})
		},
		"chunk out":     func() { dst = AppendChunkEnd(AppendChunkHead(dst[:0], 4096), out.Request.Fields) },
		"trailer names": func() { names = TrailerNames(names[:0], "X-A, Host, X-B") },
	} {
		f() // grows what has to grow
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, n)
		}
	}
}
