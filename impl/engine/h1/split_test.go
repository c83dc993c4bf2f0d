package h1

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// messages are what the tests of splitting, and the fuzzers, begin with, beside the
// corpus.
var messages = map[Kind][]string{
	Request: {
		small, browser,
		"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + small,
		"GET http://Shop.Example:80?q=1 HTTP/1.1\r\nHost: shop.example\r\n\r\n",
		"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello" + small,
		"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"POST / HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabcGET / HTTP/1.0\r\n\r\n",
		chunkedRequest + small,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n10; y = \"q\\\"\";z\r\n0123456789abcdef\r\n00\r\n\r\n",
	},
	Answer: {
		answer, "HTTP/1.0 200\r\n\r\nuntil the end", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n" + answer,
		"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nHost: x\r\n\r\n" + answer,
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
	},
}

const (
	small          = "GET /api/v1/items/123?x=1 HTTP/1.1\r\nHost: www.example.com:8080\r\nConnection: keep-alive\r\n\r\n"
	chunkedRequest = "POST /in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5;a=b;c=\"d;\\\"\"\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 50\r\n\r\n"
	browser        = "GET /api/v1/items/123?x=1 HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n" +
		"sec-ch-ua: \"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\"\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
		"Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9,de;q=0.8\r\n" +
		"Cookie: sid=0123456789abcdef0123456789abcdef; theme=dark; _ga=GA1.1.1234567890.1700000000\r\nIf-None-Match: \"abcdef\"\r\n\r\n"
	answer = "HTTP/1.1 200 OK\r\nServer: be\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\nContent-Type: text/plain\r\n" +
		"Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"
)

// everyMessage is all messages that the tests have, up to so many bytes: those above, the
// corpus and the rows of the strict parser.
func everyMessage(t testing.TB, limit int) []knownCase {
	t.Helper()
	all := corpus(t)
	add := func(kind Kind, name string, texts []string) {
		for _, text := range texts {
			all = append(all, knownCase{kind: kind, name: name, text: text})
		}
	}
	for kind, texts := range messages {
		add(kind, "", texts)
	}
	for kind, rows := range map[Kind][]strictRow{Request: strictRows, Answer: strictAnswerRows} {
		for _, row := range rows {
			add(kind, row.name, row.text)
		}
	}
	for _, row := range takenRows {
		add(Request, row.name, row.text)
	}
	return slices.DeleteFunc(all, func(c knownCase) bool { return len(c.text) > limit })
}

func TestItDoesNotMatterInWhichPiecesAMessageArrives(t *testing.T) {
	for _, c := range everyMessage(t, math.MaxInt) {
		everySplit(t, c.kind, c.name, c.text)
	}
}

// everySplit reads text in two pieces, for each place where it can be cut, and byte
// by byte, and in random pieces.
func everySplit(t *testing.T, kind Kind, name, text string) {
	t.Helper()
	want := read(kind, text).String()
	for i := 0; i < len(text); i += 1 + len(text)/1500 { // of long ones a sample
		if got := read(kind, pieces(text, i)...).String(); got != want {
			t.Errorf("%s cut at %d (%q): got %s, want %s, of %.400q", name, i, text[max(0, i-5):i], got, want, text)
			return
		}
	}
	var at []int
	for i := 0; i < len(text); i += 1 + len(text)/4000 { // of long ones some bytes at a time
		at = append(at, i)
	}
	if got := read(kind, pieces(text, at...)...).String(); got != want {
		t.Errorf("%s byte by byte: got %s, want %s, of %.400q", name, got, want, text)
	}
	const seed = 7
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 8 {
		at := []int{rnd.IntN(len(text)), rnd.IntN(len(text)), rnd.IntN(len(text))}
		if got := read(kind, pieces(text, at...)...).String(); got != want {
			t.Errorf("%s cut at %v (seed %d): got %s, want %s, of %.400q", name, at, seed, got, want, text)
		}
	}
}

// fuzzed is up to how many bytes fuzzers begin with: longer messages make them slow.
const fuzzed = 8 << 10

// FuzzBodySplit holds the reading in three pieces to that of the whole.
func FuzzBodySplit(f *testing.F) {
	for _, c := range everyMessage(f, fuzzed) {
		f.Add(c.text, c.kind == Answer, uint16(len(c.text)/3), uint16(len(c.text)/2))
	}
	f.Fuzz(func(t *testing.T, text string, isAnswer bool, i, j uint16) {
		kind := Request
		if isAnswer {
			kind = Answer
		}
		want := read(kind, text).String()
		at := []int{int(i) % (len(text) + 1), int(j) % (len(text) + 1)}
		if got := read(kind, pieces(text, at...)...).String(); got != want {
			t.Fatalf("cut at %v: got %s, want %s, of %q", at, got, want, text)
		}
	})
}
