package echo

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

const bodySize = 100

// What must come has the time that a busy machine needs; that nothing comes any
// more is believed after a moment.
const patience, moment = 10 * time.Second, 300 * time.Millisecond

// view is what a peer sees of one request on a connection of its own, in a few
// words: "200, 100 bytes, open". It waits for what is expected.
func view(t *testing.T, addr, header, expected string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if expected == "open" {
		_ = c.SetDeadline(time.Now().Add(moment))
	}
	if _, err := io.WriteString(c, fmt.Sprintf("GET / HTTP/1.1\r\nHost: h\r\nX-Op-Id: 1\r\nX-Echo-Size: %d\r\n%s\r\n", bodySize, header)); err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(c)
	r, err := http.ReadResponse(br, nil)
	if err != nil {
		return ending(err)
	}
	b, err := io.ReadAll(r.Body)
	said := fmt.Sprintf("%d, %d bytes", r.StatusCode, len(b))
	if err != nil {
		return said + ", " + ending(err)
	}
	if strings.HasSuffix(expected, "open") {
		_ = c.SetReadDeadline(time.Now().Add(moment))
	}
	rest, err := io.ReadAll(br)
	if len(rest) > 0 {
		said += fmt.Sprintf(", %d more", len(rest))
	}
	return said + ", " + ending(err)
}

func ending(err error) string {
	var ne net.Error
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "ended"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.As(err, &ne) && ne.Timeout():
		return "open"
	}
	return "not HTTP"
}

// Each misbehaviour is seen by the peer while it is set, or asked for, and not
// before or after.
func TestMisbehaviourIsWhatThePeerSees(t *testing.T) {
	whole := history.Sum(sha256.Sum256(Pattern(bodySize)))
	good := &history.Answer{Status: 200, BodyLen: bodySize, BodySum: whole}
	for name, c := range map[string]struct {
		b      Behaviour
		header string
		view   string
		answer *history.Answer
	}{
		"reset at the head": {Behaviour{Reset: ResetHead}, "X-Echo-Reset: head", "reset", nil},
		"reset in the body": {Behaviour{Reset: ResetBody}, "X-Echo-Reset: body", "200, 50 bytes, reset", good},
		"close at the head": {Behaviour{Close: CloseHead}, "X-Echo-Close: head", "ended", nil},
		"close in the body": {Behaviour{Close: CloseBody}, "X-Echo-Close: body", "200, 50 bytes, ended", good},
		"close in a chunk":  {Behaviour{Close: CloseBody, Chunked: true}, "X-Echo-Close: body\r\nX-Echo-Chunked: 1", "200, 50 bytes, ended", good},
		"garbage":           {Behaviour{Garbage: 300}, "X-Echo-Garbage: 300", "not HTTP", nil},
		"hang":              {Behaviour{Hang: true}, "X-Echo-Hang: 1", "open", nil},
		"too little":        {Behaviour{LengthOff: 7}, "X-Echo-Length-Off: 7", "200, 100 bytes, ended", &history.Answer{Status: 200, BodyLen: bodySize + 7}},
		"too much":          {Behaviour{LengthOff: -7}, "X-Echo-Length-Off: -7", "200, 93 bytes, 7 more, open", &history.Answer{Status: 200, BodyLen: 93, BodySum: history.Sum(sha256.Sum256(Pattern(93)))}},
		"chunk too short":   {Behaviour{LengthOff: 7, Chunked: true}, "X-Echo-Length-Off: 7\r\nX-Echo-Chunked: 1", "200, 100 bytes, ended", &history.Answer{Status: 200, BodyLen: bodySize + 7}},
		"chunk too long":    {Behaviour{LengthOff: -7, Chunked: true}, "X-Echo-Length-Off: -7\r\nX-Echo-Chunked: 1", "200, 93 bytes, not HTTP", &history.Answer{Status: 200, BodyLen: bodySize}},
		"delayed reset":     {Behaviour{Delay: time.Millisecond, Reset: ResetHead}, "X-Echo-Delay: 1ms\r\nX-Echo-Reset: head", "reset", nil},
		"drip, then reset":  {Behaviour{DripBytes: 10, DripEvery: time.Millisecond, Reset: ResetBody}, "X-Echo-Drip: 10/1ms\r\nX-Echo-Reset: body", "200, 50 bytes, reset", good},
		"error, cut":        {Behaviour{Status: 503, Close: CloseBody}, "X-Echo-Status: 503\r\nX-Echo-Close: body", "503, 50 bytes, ended", &history.Answer{Status: 503, BodyLen: bodySize, BodySum: whole}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it is waiting for what does not come
			s, rec, addr := start(t, Options{})
			const fine = "200, 100 bytes, open"
			want := []string{fine, c.view, fine, c.view}
			got := []string{view(t, addr, "", fine)}
			s.SetBehaviour(c.b)
			if b := s.Behaviour(); !reflect.DeepEqual(b, c.b) {
				t.Errorf("set %+v, got %+v", c.b, b)
			}
			got = append(got, view(t, addr, "", c.view))
			s.SetBehaviour(Behaviour{})
			got = append(got, view(t, addr, "", fine), view(t, addr, c.header+"\r\n", c.view))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("before, during, after, asked for: got %q, want %q", got, want)
			}
			as := rec.Snapshot().Arrivals
			if len(as) != 4 || !reflect.DeepEqual(as[0].Answer, good) || !reflect.DeepEqual(as[1].Answer, c.answer) || !reflect.DeepEqual(as[3].Answer, c.answer) {
				t.Errorf("answers on record: got %s, want %s for the second and fourth of four", asJSON(as), asJSON(c.answer))
			}
		})
	}
}

func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func TestSlowHeadAndSlowBodyAreSlowThereAndOnlyThere(t *testing.T) {
	for name, c := range map[string]struct {
		header     string
		head, body bool // which part is slow
	}{
		"head": {"X-Echo-Delay: 150ms", true, false},
		"body": {"X-Echo-Drip: 25/50ms", false, true},
		"both": {"X-Echo-Delay: 150ms\r\nX-Echo-Drip: 25/50ms", true, true},
		"none": {"X-A: b", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, addr := start(t, Options{})
			begin := time.Now()
			_, br := send(t, addr, "GET / HTTP/1.1\r\nHost: h\r\nX-Echo-Size: 100\r\n"+c.header+"\r\n\r\n")
			r, err := http.ReadResponse(br, nil)
			if err != nil {
				t.Fatal(err)
			}
			head := time.Since(begin)
			b, err := io.ReadAll(r.Body)
			body := time.Since(begin) - head
			if err != nil || len(b) != 100 {
				t.Fatalf("got %d bytes, %v", len(b), err)
			}
			if c.head != (head >= 150*time.Millisecond) || c.body && body < 100*time.Millisecond {
				t.Errorf("head after %s, body took %s; want slow: %t, %t", head, body, c.head, c.body)
			}
		})
	}
}

// A body that is larger than all buffers on the way cannot be sent while nobody
// reads it.
func TestUnreadBodyBlocksItsSender(t *testing.T) {
	const size = 64 << 20
	post := func(t *testing.T, addr, header string) (c net.Conn, sent chan error) {
		c, _ = send(t, addr, fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nX-Op-Id: 1\r\nX-Echo-Size: 5\r\n%sContent-Length: %d\r\n\r\n", header, size))
		sent = make(chan error, 1)
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		go func() {
			_, err := c.Write(make([]byte, size))
			sent <- err
		}()
		return c, sent
	}
	for name, c := range map[string]struct {
		b      Behaviour
		header string
		view   string // "" for nothing
	}{
		"answered at once": {Behaviour{Unread: true}, "X-Echo-Unread: 1\r\n", "200"},
		"held":             {Behaviour{Unread: true, Hang: true}, "X-Echo-Unread: 1\r\nX-Echo-Hang: 1\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, rec, addr := start(t, Options{})
			for i, header := range []string{"", c.header} { // set, then asked for
				if i == 0 {
					s.SetBehaviour(c.b)
				} else {
					s.SetBehaviour(Behaviour{})
				}
				conn, sent := post(t, addr, header)
				br := bufio.NewReader(conn)
				if c.view != "" {
					if r, _ := reply(t, br, "POST"); fmt.Sprint(r.StatusCode) != c.view {
						t.Errorf("got %d, want %s", r.StatusCode, c.view)
					}
				}
				if err := <-sent; !isTimeout(err) {
					t.Errorf("sending %d bytes: got %v, want no end of it", size, err)
				}
				if c.view == "" {
					_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
					if _, err := br.ReadByte(); !isTimeout(err) {
						t.Errorf("got %v, want silence", err)
					}
				}
				_ = conn.Close()
			}
			as := rec.Snapshot().Arrivals
			if len(as) != 2 || !as[1].Unread || as[1].Cut || as[1].Seen.BodyLen != 0 {
				t.Errorf("got %+v, want two arrivals with their bodies unread", as)
			}
		})
	}
	t.Run("after it", func(t *testing.T) {
		s, rec, addr := start(t, Options{})
		s.SetBehaviour(Behaviour{Unread: true})
		s.SetBehaviour(Behaviour{})
		c, sent := post(t, addr, "")
		_ = c.SetWriteDeadline(time.Now().Add(10 * time.Second))
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		if r, _ := reply(t, bufio.NewReader(c), "POST"); r.StatusCode != 200 {
			t.Errorf("got %d, want 200", r.StatusCode)
		}
		if as := rec.Snapshot().Arrivals; len(as) != 1 || as[0].Unread || as[0].Seen.BodyLen != size {
			t.Errorf("got %+v, want the whole body", as)
		}
	})
}

// Held connections are not kept beyond their peer: a server that misbehaves for
// hours must not run out of descriptors by itself.
func TestHeldConnectionsEndWithTheirPeer(t *testing.T) {
	for _, header := range []string{"X-Echo-Hang: 1", "X-Echo-Hang: 1\r\nX-Echo-Unread: 1", "X-Echo-Unread: 1", "X-Echo-Close: body", "X-Echo-Garbage: 9"} {
		s, _, addr := start(t, Options{})
		c, _ := send(t, addr, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"+header+"\r\n\r\nabc")
		await(t, "the request", func() bool { return s.Requests() == 1 })
		_ = c.Close()
		await(t, "the end of its connection: "+header, func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.conns) == 0
		})
	}
}

func TestBehavioursBeyondTheLimitsAreRefused(t *testing.T) {
	_, _, addr := start(t, Options{})
	for _, header := range []string{
		"X-Echo-Delay: 11m", "X-Echo-Delay: -1s", "X-Echo-Delay: soon", "X-Echo-Status: 99", "X-Echo-Size: -1", "X-Echo-Drip: 10", "X-Echo-Drip: 0/1s", "X-Echo-Drip: 1/2m",
		"X-Echo-Reset: tail", "X-Echo-Close: tail", "X-Echo-Garbage: 1048577", "X-Echo-Length-Off: 1048577", "X-Echo-Length-Off: x", "X-Echo-Header: no colon",
	} {
		_, br := send(t, addr, "GET / HTTP/1.1\r\nHost: h\r\n"+header+"\r\n\r\n")
		if r, _ := reply(t, br, "GET"); r.StatusCode != 400 {
			t.Errorf("%s: got %d, want 400", header, r.StatusCode)
		}
	}
	for _, b := range []Behaviour{{DripBytes: 1}, {DripEvery: time.Second}, {Add: []string{"A: b\r\nC: d"}}, {Add: make([]string, MaxAdded+1)}} {
		if b.Check() == nil {
			t.Errorf("%+v: no complaint", b)
		}
	}
	if err := (Behaviour{}).Check(); err != nil {
		t.Error(err)
	}
}

// The library is the naive twin.
func FuzzAnswerIsWhatTheLibraryWouldWrite(f *testing.F) {
	f.Add("vpc/shop/web-1", "op-1", "/a?<>&\"\\\x00\xff\u2028", "ä", "v", int64(5), uint32(7), 2)
	f.Add("", "", "", "", "", int64(0), uint32(0), 0)
	for _, c := range strings.Split("< > & \" \\ ' \x7f \x1f \xff \u2028 é 😀 ~ !", " ") {
		f.Add(c, c, c, c, c, int64(1), uint32(1), 1)
	}
	f.Fuzz(func(t *testing.T, ref, op, target, name, value string, n int64, vni uint32, fields int) {
		a := Answer{Backend: topology.Ref(ref), Op: op, VNI: vni, From: ref, Local: value, Seen: history.Request{Method: name, Target: target, Proto: op, Host: value, BodyLen: n, BodySum: name}}
		for range fields & 3 {
			a.Seen.Header = append(a.Seen.Header, history.Field{Name: name, Value: value})
		}
		want, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSuffix(string(appendAnswer(nil, a)), "\n"); got != string(want) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}
