package enginetest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func bodyFlowsBothWaysAtOnce(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		_ = rc.Flush()
		buf := make([]byte, 16)
		for {
			n, err := r.Body.Read(buf)
			_, _ = w.Write(bytes.ToUpper(buf[:n]))
			_ = rc.Flush()
			if err != nil {
				return
			}
		}
	})
	_, addr := start(t, Options{Handler: NewHandler(up)})
	pr, pw := io.Pipe()
	req, _ := http.NewRequest(http.MethodPost, "http://"+addr, pr)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, word := range []string{"one", "two", "three"} {
		_, _ = io.WriteString(pw, word)
		got := make([]byte, len(word))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != strings.ToUpper(word) {
			t.Fatalf("echo of %s: %q %v", word, got, err)
		}
	}
	_ = pw.Close()
}

func answerThatBreaksOffReachesTheClientBroken(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	h := NewHandler(up)
	_, addr := start(t, Options{Handler: h})
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("broken answer reads as whole: %q", b)
	}
	if r := <-h.Done; !r.Cut || r.Status != 200 {
		t.Errorf("record %+v", r)
	}
}

func trailersAndInterimAnswersPass(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		w.Header().Set("Link", "</a>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprint(w, "body ", r.Trailer.Get("X-In"))
		w.Header().Set("X-Sum", "42")
	})
	_, addr := start(t, Options{Handler: NewHandler(up)})
	got := Raw(t, addr, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-In\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nX-In: yes\r\n\r\n")
	for _, want := range []string{"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n", "HTTP/1.1 200 OK\r\n", "Trailer: X-Sum\r\n", "body yes", "X-Sum: 42\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("answer lacks %q:\n%s", want, got)
		}
	}
}

func expectationIsMetByTheGateway(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s", b)
	})
	_, addr := start(t, Options{Handler: NewHandler(up)})
	c, _ := net.Dial("tcp", addr)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprint(c, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	br := bufio.NewReader(c)
	if line, err := br.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("first line %q %v", line, err)
	}
	_, _ = br.ReadString('\n')
	fmt.Fprint(c, "ok")
	resp, err := http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("answer %v %v", resp, err)
	}
	defer resp.Body.Close()
}

func bodyFilterReplacesChunks(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "quiet") })
	h := NewHandler(up)
	h.filter = func(b []byte, last bool) []byte {
		out := bytes.ToUpper(b)
		if last {
			out = append(out, '!')
		}
		return out
	}
	_, addr := start(t, Options{Handler: h})
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); string(b) != "QUIET!" || err != nil {
		t.Errorf("body %q %v", b, err)
	}
}

func tooLongBodyIsRefused(t *testing.T, start Starter) {
	up := Backend(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	_, addr := start(t, Options{Handler: NewHandler(up), MaxBody: 1000})
	resp, err := http.Post("http://"+addr, "", io.LimitReader(zeros{}, 5000))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", resp.StatusCode)
	}
}

// earlyAnswerLeavesNoBytesBehind: when the target answers before it has
// read the body, the rest of the body must not be taken for a next request.
func earlyAnswerLeavesNoBytesBehind(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // answers before it reads
		w.WriteHeader(http.StatusForbidden)
	})
	_, addr := start(t, Options{Handler: NewHandler(up)})
	c, _ := net.Dial("tcp", addr)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 60\r\n\r\n")
	br := bufio.NewReader(c)
	resp, err := http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != http.StatusForbidden || !resp.Close {
		t.Fatalf("answer %+v %v", resp, err)
	}
	defer resp.Body.Close()
	fmt.Fprint(c, "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
	_ = c.(*net.TCPConn).CloseWrite()
	rest, _ := io.ReadAll(br)
	if bytes.Contains(rest, []byte("HTTP/1.1")) {
		t.Errorf("a second answer came: %q", rest)
	}
}

// earlyAnswerWaitsForASenderToReadIt: the target has answered, but the client may look at
// answers only when it has sent everything. What it sends must not destroy the answer.
func earlyAnswerWaitsForASenderToReadIt(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // answers before it reads
		w.WriteHeader(http.StatusUnsupportedMediaType)
	})
	_, addr := start(t, Options{Handler: NewHandler(up)})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
	if b, err := io.ReadAll(c); err != nil || !bytes.HasPrefix(b, []byte("HTTP/1.1 415")) {
		t.Fatalf("%q %v", b, err)
	}
	for i := range 20 {
		if _, err := fmt.Fprint(c, "3\r\nabc\r\n"); err != nil {
			t.Fatalf("piece %d of the body: %v", i, err)
		}
	}
}
