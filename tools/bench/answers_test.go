package main

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
	want := slices.Concat(answerOf(bodyOf(128)), answerOf([]byte("GET /r2/echo HTTP/1.1\r\nHost: b")), answerOf(bodyOf(3)))
	for at := range in {
		c := &answered{}
		rest := r.answer(c, in[:at])
		rest = r.answer(c, append(slices.Clone(rest), in[at:]...))
		if !bytes.Equal(c.out, want) || len(rest) > 0 {
			t.Fatalf("split at %d: %q and rest %q, want %q", at, c.out, rest, want)
		}
	}
	if !bytes.Equal(r.answers["128"], answerOf(bodyOf(128))) {
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
	all := answerOf(bodyOf(100))
	for at := 1; at < len(all); at++ {
		c := asking{rest: -1}
		if whole, err := c.take(all[:at]); whole || err != nil {
			t.Fatalf("after %d of %d bytes: %v, %v", at, len(all), whole, err)
		}
		if whole, err := c.take(all[at:]); !whole || err != nil {
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
		c := asking{rest: -1}
		if whole, err := c.take([]byte(text)); err == nil {
			t.Errorf("%s: %v, no complaint", name, whole)
		}
	}
}

func TestHeadsAreComparedWithoutOrderAndPorts(t *testing.T) {
	nginx := normalHead("GET /echo HTTP/1.1\r\nHost: a\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-Port: 10000")
	ours := normalHead("GET /echo HTTP/1.1\r\nx-forwarded-port: 10030\r\nHost: a\r\nConnection: keep-alive\r\nX-Real-Ip:127.0.0.1")
	if !slices.Equal(nginx, ours) {
		t.Errorf("%q and %q differ", nginx, ours)
	}
	for _, other := range []string{
		"GET /echo HTTP/1.1\r\nHost: a\r\nX-Forwarded-Port: 1",
		"GET /echo HTTP/1.1\r\nHost: a\r\nX-Real-IP: 127.0.0.2\r\nX-Forwarded-Port: 1",
		"GET /echo HTTP/1.0\r\nHost: a\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-Port: 1",
		"GET /echo HTTP/1.1\r\nHost: a\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-Port: 1\r\nConnection: close",
	} {
		if slices.Equal(nginx, normalHead(other)) {
			t.Errorf("%q passes for the same", other)
		}
	}
}

func TestQuantilesOfLatencies(t *testing.T) {
	var ds []time.Duration
	for i := range 100 {
		ds = append(ds, time.Duration(i+1)*time.Millisecond)
	}
	if p50, p99 := quantile(ds, 0.5), quantile(ds, 0.99); p50 != 51 || p99 != 100 {
		t.Errorf("p50 %g, p99 %g", p50, p99)
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("of nothing")
	}
}

// The moments do not drift with what was sent before.
func TestOpenLoopHasFixedMoments(t *testing.T) {
	start := time.Unix(1000, 0)
	l := &openLoad{openOrder: openOrder{Rate: 3}, start: start}
	for n, want := range map[int]time.Duration{0: 0, 3: time.Second, 3000: 1000 * time.Second, 1: 333333333} {
		if got := l.dueAt(n).Sub(start); got != want {
			t.Errorf("request %d is due after %s, want %s", n, got, want)
		}
	}
}

func TestGroupsOfThisProcessAreRead(t *testing.T) {
	v2, v1 := parseOwnGroups("9:name=systemd:/\n4:cpu,cpuacct:/x\n3:cpuset:/\n0::/user.slice/a\n")
	if v2 != "/user.slice/a" || v1 != "cpu,cpuacct" {
		t.Errorf("got %q and %q", v2, v1)
	}
	if v2, v1 := parseOwnGroups("0::/\n"); v2 != "/" || v1 != "" {
		t.Errorf("v2 alone: got %q and %q", v2, v1)
	}
	d, err := parseUsage("usage_usec 1500\nuser_usec 1000\n")
	if err != nil || d != 1500*time.Microsecond {
		t.Errorf("usage %s, %v", d, err)
	}
	if _, err := parseUsage("nr_periods 0\n"); err == nil {
		t.Error("no usage passes for some")
	}
}

func TestRoutesHaveTheFormOfTheFirst(t *testing.T) {
	form := `{"id":"r0","host":"h0.example","uri":"/r0/*","upstream_id":"responder","status":1}`
	got, err := routeAs([]byte(form), 4711)
	want := `{"host":"h471.example","id":"r4711","status":1,"upstream_id":"responder","uri":"/r4711/*"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for _, bad := range []string{"{}", "x", strings.Replace(form, "h0.example", "other", 1), strings.Replace(form, `"/r0/*"`, `["/r0/*"]`, 1)} {
		if got, err := routeAs([]byte(bad), 1); err == nil {
			t.Errorf("%s gave %s", bad, got)
		}
	}
}

func TestGatewaysHaveNamesOfTheirOwn(t *testing.T) {
	g, err := parseGateway("loop=--engine=loop --log-level=info")
	if err != nil || g.Name != "loop" || !slices.Equal(g.Flags, []string{"--engine=loop", "--log-level=info"}) {
		t.Errorf("got %+v, %v", g, err)
	}
	for _, bad := range []string{"", "=x", "nginx", "haproxy=", "a/b=", "A"} {
		if g, err := parseGateway(bad); err == nil {
			t.Errorf("%q gave %+v", bad, g)
		}
	}
}
