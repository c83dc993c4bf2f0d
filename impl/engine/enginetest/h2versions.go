package enginetest

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// secureHTTP2 serves both versions over TLS.
func secureHTTP2(t *testing.T, start Starter, o Options) (addr string) {
	t.Helper()
	o.TLS, o.HTTP2 = secured(t, "h2", "http/1.1"), true
	_, addr = start(t, o)
	return addr
}

func h2VersionIsAgreedOn(t *testing.T, start Starter) {
	addr := secureHTTP2(t, start, Options{Handler: NewHandler(Backend(t, saysOK))})
	for _, offered := range [][]string{{"h2", "http/1.1"}, {"http/1.1"}, nil} {
		p := &http.Protocols{}
		p.SetHTTP1(true)
		p.SetHTTP2(len(offered) > 1)
		conf := trusting.Clone()
		conf.NextProtos = offered
		tr := &http.Transport{TLSClientConfig: conf, Protocols: p}
		resp, err := (&http.Client{Transport: tr, Timeout: 20 * time.Second}).Get("https://" + addr + "/")
		want := 1
		if len(offered) > 1 {
			want = 2
		}
		if got := whole(t, resp, err); got != "ok" || resp.ProtoMajor != want {
			t.Errorf("offered %v: %s %q", offered, resp.Proto, got)
		}
		tr.CloseIdleConnections()
	}
}

// h2VersionThatWasNotAgreedOn: neither version is served to who agreed on the other.
func h2VersionThatWasNotAgreedOn(t *testing.T, start Starter) {
	h := NewHandler(Backend(t, saysOK))
	addr := secureHTTP2(t, start, Options{Handler: h})
	var preface bytes.Buffer
	preface.WriteString(http2.ClientPreface)
	f := http2.NewFramer(&preface, nil)
	_ = f.WriteSettings() // a Buffer takes all
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: Block(":method", "GET", ":scheme", "https", ":authority", "h", ":path", "/"), EndStream: true, EndHeaders: true})
	const old = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	for name, tc := range map[string]struct {
		offered []string
		says    string
	}{
		"agreed on HTTP/2":   {[]string{"h2"}, old},
		"agreed on HTTP/1.1": {[]string{"http/1.1"}, preface.String()},
		"agreed on nothing":  {nil, preface.String()},
	} {
		conf := trusting.Clone()
		conf.NextProtos = tc.offered
		c, err := tls.Dial("tcp", addr, conf)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
		_, _ = io.WriteString(c, tc.says)                   // it may be cut short
		got, _ := io.ReadAll(c)                             // the same
		_ = c.Close()                                       // nothing more is expected of it
		if bytes.Contains(got, []byte("ok")) || bytes.HasPrefix(got, []byte("HTTP/1.1 200")) {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if n := len(h.Done); n > 0 {
		t.Errorf("%d requests were handled", n)
	}
}

func h2HTTP1IsServedBesideIt(t *testing.T, start Starter) {
	_, addr := start(t, Options{Handler: NewHandler(Backend(t, saysOK)), HTTP2: true})
	// It shares its first letters with the preface.
	for _, method := range []string{"GET", "P", "PR", "PRI", "PUT", "PRIORITY"} {
		if got := Raw(t, addr, method+" / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(got, "ok") {
			t.Errorf("%s: got %q", method, got)
		}
	}
	if got := Raw(t, addr, "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n"); strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("nearly the preface: got %q", got)
	}
}

func h2NotServedWhereItIsNotAskedFor(t *testing.T, start Starter) {
	_, addr := start(t, Options{Handler: NewHandler(Backend(t, saysOK))})
	if got := Raw(t, addr, http2.ClientPreface); strings.HasPrefix(got, "HTTP/1.1 200") || !strings.HasPrefix(got, "HTTP/1.1 ") {
		t.Errorf("got %q, want a refusal of HTTP/1.1", got)
	}
}

func h2PrefaceInPieces(t *testing.T, start Starter) {
	_, addr := start(t, Options{Handler: NewHandler(Backend(t, saysOK)), HTTP2: true})
	whole := []byte(http2.ClientPreface)
	for cut := 1; cut < len(whole); cut++ {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
		begun := make(chan error, 1)
		go func() {
			_, err := c.Write(whole[:cut])
			begun <- err
		}()
		if err := <-begun; err != nil {
			t.Fatal(err)
		}
		f := http2.NewFramer(c, c)
		_, _ = c.Write(whole[cut:])
		_ = f.WriteSettings()
		client := dialed{f, t}
		client.ask(1, http.MethodGet, "/")
		if h, ok := client.next(1).(*http2.HeadersFrame); !ok || h.StreamEnded() {
			t.Errorf("cut at %d: got %v", cut, h)
		}
		if got := client.body(1); got != "ok" {
			t.Errorf("cut at %d: got %q", cut, got)
		}
		c.Close()
	}
}

func h2ClientThatStopsInItsPreface(t *testing.T, start Starter) {
	_, addr := start(t, Options{Handler: NewHandler(), HTTP2: true, HeadTimeout: 200 * time.Millisecond})
	for _, n := range []int{1, 14, len(http2.ClientPreface) - 1} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
		fmt.Fprint(c, http2.ClientPreface[:n])
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("%d bytes of it: %v, want the end of the connection", n, err)
		}
		c.Close()
	}
}
