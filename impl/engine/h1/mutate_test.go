package h1

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

// bits of messages that matter, for the mutations.
var spices = []string{"\r", "\n", "\r\n", "\r\n\r\n", "\x00", "\x7f", " ", "\t", ":", ";", ",", "\"", "\\", "/", "?", "#", "%41", "@", "[", "]", "//", "http://", "a", "A", "0", "00", "5", "f", "-", "+", "=",
	"Content-Length: 5\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "transfer-encoding: Chunked \r\n", "Host: a\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n",
	"Expect: 100-continue\r\n", "Trailer: X\r\n", "Trailer: Host\r\n", "Connection: Host\r\n", "Pragma: no-cache\r\n", "Upgrade: h2c\r\n", "HTTP/1.1", "HTTP/1.0", "0\r\n\r\n", "5\r\nhello\r\n", "1;a=b\r\n", ";a=\"b\"", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"HTTP/1.1 200 OK\r\n", "CONNECT a:1 ", "HEAD", "204", "304", "100", "\xc3\xa9"}

// TestRandomMutationsAgreeWithTheTwin is the fuzzers' work in a fixed amount, with
// mutations that know the syntax.
func TestRandomMutationsAgreeWithTheTwin(t *testing.T) {
	var texts [2][]string
	for _, c := range everyMessage(t, 2000) {
		texts[c.kind] = append(texts[c.kind], c.text)
	}
	const seed, rounds = 3, 20000
	rnd := rand.New(rand.NewPCG(seed, 0))
	for i := range rounds {
		kind := Kind(i % 4 / 3) // requests have more to go wrong
		text := texts[kind][rnd.IntN(len(texts[kind]))]
		for range 1 + rnd.IntN(3) {
			text = mutated(rnd, text)
		}
		if kind == Request {
			requestTwin(t, text)
		} else {
			answerTwin(t, text, i%8 == 7)
		}
		anyBytes(text)
		anyBytes(text + "\r\n\r\n")
		at := []int{rnd.IntN(len(text) + 1), rnd.IntN(len(text) + 1)}
		if want, got := read(kind, text).String(), read(kind, pieces(text, at...)...).String(); got != want {
			t.Fatalf("seed %d, round %d, cut at %v: got %s, want %s, of %q", seed, i, at, got, want, text)
		}
	}
}

// anyBytes gives bytes that no Scan has seen to the parsers: they may refuse, and
// must not run over the end.
func anyBytes(text string) {
	var x exchange.Exchange
	var f Framing
	_ = ParseRequest([]byte(text), &x.Request, &x.Arena, &f)
	_ = ParseAnswer([]byte(text), "GET", &x.Response, &f)
}

func mutated(rnd *rand.Rand, s string) string {
	i := rnd.IntN(len(s) + 1)
	j := min(len(s), i+rnd.IntN(4))
	switch rnd.IntN(5) {
	case 0: // take away
		return s[:i] + s[j:]
	case 1: // say twice
		return s[:j] + s[i:]
	case 2: // move a line
		lines := strings.SplitAfter(s, "\r\n")
		a, b := rnd.IntN(len(lines)), rnd.IntN(len(lines))
		lines[a], lines[b] = lines[b], lines[a]
		return strings.Join(lines, "")
	case 3: // replace
		return s[:i] + spices[rnd.IntN(len(spices))] + s[j:]
	}
	if k := strings.Index(s[i:], "\r\n"); k >= 0 && rnd.IntN(2) == 0 {
		i += k + 2 // at the beginning of a line
	}
	return s[:i] + spices[rnd.IntN(len(spices))] + s[i:]
}
