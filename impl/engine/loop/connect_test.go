package loop

import (
	"net/http"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/impl/engine/enginetest"
)

// TestHTTP2ConnectIsRefused on its stream alone, whose bytes would be meant for a tunnel.
func TestHTTP2ConnectIsRefused(t *testing.T) {
	up := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the target is asked %s %s", r.Method, r.RequestURI)
	})
	e, url := startBoth(t, Options{Handler: enginetest.NewHandler(up)})
	s := starve(t, url)
	answers := hpack.NewDecoder(4096, nil)
	for i, to := range []string{up, "a:1"} {
		stream := uint32(2*i + 1)
		s.head(stream, false, ":method", "CONNECT", ":authority", to)
		if err := s.WriteData(stream, false, []byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		f, ok := s.next(stream).(*http2.HeadersFrame)
		if !ok {
			t.Fatalf("CONNECT %s: got %v, want an answer", to, f)
		}
		fields, err := answers.DecodeFull(f.HeaderBlockFragment())
		if err != nil || len(fields) == 0 || fields[0].Name != ":status" || fields[0].Value != "405" {
			t.Errorf("CONNECT %s: %v, %v, want 405", to, fields, err)
		}
	}
	if n := e.Refused()["method"]; n != 2 {
		t.Errorf("%d are counted as refused because of their method, want 2", n)
	}
	if n := e.InFlight(); n != 0 {
		t.Errorf("%d are in flight", n)
	}
}
