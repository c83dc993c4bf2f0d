package loop

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/engine/enginetest"
)

// version2 is a client that speaks HTTP/2 and nothing else, without TLS.
func version2(t *testing.T) *http.Client {
	t.Helper()
	return enginetest.HTTP2Client(t)
}

func startBoth(t *testing.T, o Options) (e *Engine, url string) {
	t.Helper()
	o.HTTP2 = true
	e, addr := startLoops(t, o)
	return e, "http://" + addr
}

// target is a server of HTTP/1.1 that answers as the test says.
func answering(t *testing.T, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func whole(t *testing.T, resp *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if _ = resp.Body.Close(); err != nil {
		t.Fatalf("%v after %q", err, b)
	}
	return string(b)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestWhatIsNoHTTP1IsNotAnsweredByItWhereHTTP2IsServed(t *testing.T) {
	_, url := startBoth(t, Options{Handler: enginetest.NewHandler()})
	addr := strings.TrimPrefix(url, "http://")
	for request, want := range map[string]string{
		"INVALID CONNECTION PREFACE\r\n\r\n": "", "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n": "HTTP/1.1 505", "GET / http/1.1\r\n\r\n": "HTTP/1.1 ", "GET /\r\n\r\n": "",
	} {
		if got := enginetest.Raw(t, addr, request); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%q: %q, want %q", request, got, want)
		}
	}
}
