package load

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testResponder listens on a port of its own and serves until the process ends: it
// has no end in the benchmark either.
func testResponder(t *testing.T) (*responder, netip.AddrPort) {
	t.Helper()
	r, err := newResponder(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(r.listener)
	if err != nil {
		t.Fatal(err)
	}
	return r, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(at.(*unix.SockaddrInet4).Port))
}

// Whatever pieces requests arrive in, the answers are the same.
func TestResponderAnswersPiecesAndPipelines(t *testing.T) {
	r, _ := testResponder(t)
	in := []byte("GET /r1/128 HTTP/1.1\r\nHost: a\r\n\r\nGET /r2/echo HTTP/1.1\r\nHost: b\r\n\r\nGET /health HTTP/1.1\r\n\r\n")
	want := slices.Concat(answerOf(BodyOf(128)), answerOf([]byte("GET /r2/echo HTTP/1.1\r\nHost: b")), answerOf(BodyOf(3)))
	for at := range in {
		c := &answered{}
		rest := r.answer(c, in[:at])
		rest = r.answer(c, append(slices.Clone(rest), in[at:]...))
		if !bytes.Equal(c.out, want) || len(rest) > 0 {
			t.Fatalf("split at %d: %q and rest %q, want %q", at, c.out, rest, want)
		}
	}
	if !bytes.Equal(r.answers["128"], answerOf(BodyOf(128))) {
		t.Error("an answer was written over")
	}
}

// Answers are shared by all connections: what is queued behind one must not be
// written into its array.
func TestConnectionsDoNotWriteIntoEachOthersAnswers(t *testing.T) {
	r, _ := testResponder(t)
	r.answers["health"] = slices.Grow(r.answers["health"], 4096)
	var a, b answered
	r.answer(&a, []byte("GET /health HTTP/1.1\r\n\r\nGET /a/echo HTTP/1.1\r\n\r\n"))
	r.answer(&b, []byte("GET /health HTTP/1.1\r\n\r\nGET /b/echo HTTP/1.1\r\n\r\n"))
	if !bytes.Contains(a.out, []byte("/a/echo")) || bytes.Contains(a.out, []byte("/b/echo")) {
		t.Errorf("the first connection gets %q", a.out)
	}
}

func TestAnswersAreReadInAnyPieces(t *testing.T) {
	all := answerOf(BodyOf(100))
	for at := 1; at < len(all); at++ {
		c := NewAsking()
		if whole, err := c.Take(all[:at]); whole || err != nil {
			t.Fatalf("after %d of %d bytes: %v, %v", at, len(all), whole, err)
		}
		if whole, err := c.Take(all[at:]); !whole || err != nil {
			t.Fatalf("split at %d: %v, %v, want whole", at, whole, err)
		}
	}
}

func TestWrongAnswersAreErrors(t *testing.T) {
	for name, text := range map[string]string{
		"status":        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
		"no length":     "HTTP/1.1 200 OK\r\n\r\n",
		"bad length":    "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"too many":      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
		"no end":        "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", maxHead/6+1),
		"not an answer": "hello\r\n\r\n",
	} {
		c := NewAsking()
		if whole, err := c.Take([]byte(text)); err == nil {
			t.Errorf("%s: %v, no complaint", name, whole)
		}
	}
}

func TestQuantilesOfLatencies(t *testing.T) {
	var ds []time.Duration
	for i := range 100 {
		ds = append(ds, time.Duration(i+1)*time.Millisecond)
	}
	if p50, p99 := Quantile(ds, 0.5), Quantile(ds, 0.99); p50 != 51 || p99 != 100 {
		t.Errorf("p50 %g, p99 %g", p50, p99)
	}
	if Quantile(nil, 0.5) != 0 {
		t.Error("of nothing")
	}
}

// The moments do not drift with what was sent before.
func TestOpenLoopHasFixedMoments(t *testing.T) {
	start := time.Unix(1000, 0)
	l := &openLoad{OpenOrder: OpenOrder{Rate: 3}, start: start}
	for n, want := range map[int]time.Duration{0: 0, 3: time.Second, 3000: 1000 * time.Second, 1: 333333333} {
		if got := l.dueAt(n).Sub(start); got != want {
			t.Errorf("request %d is due after %s, want %s", n, got, want)
		}
	}
}

func TestPartsOfALoadAreItsAnswersInTheirOrder(t *testing.T) {
	var all []time.Duration
	for i := range 1000 {
		all = append(all, time.Duration(1+i/250)*time.Millisecond)
	}
	if got := partP99(all, 4); !slices.Equal(got, []float64{1, 2, 3, 4}) {
		t.Errorf("four parts: got %v, want 1 to 4 ms", got)
	}
	if got := partP99(all[:2], 3); len(got) != 3 { // fewer answers than parts
		t.Errorf("three parts of two answers: got %v, want three", got)
	}
	if got := partP99(all, 0); got != nil {
		t.Errorf("no parts: got %v, want none", got)
	}
}
