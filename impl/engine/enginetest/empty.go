package enginetest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

// sayingLength is a handler that sends how long the head says that the body is.
func sayingLength(t *testing.T) (*Handler, chan string) {
	h := NewHandler(Backend(t, saysOK))
	seen := make(chan string, 1)
	h.suspend = func(x *exchange.Exchange) {
		seen <- fmt.Sprint(x.Request.BodyLength, " ", x.Request.BodyLength > 0 || x.Request.SaysEmpty)
		x.Resume()
	}
	return h, seen
}

func lengthOfZeroIsTold(t *testing.T, start Starter) {
	h, seen := sayingLength(t)
	_, addr := start(t, Options{Handler: h})
	for fields, want := range map[string]string{"": "0 false", "Content-Length: 0\r\n": "0 true", "Content-Length: 2\r\n": "2 true", "Transfer-Encoding: chunked\r\n": "-1 false"} {
		body := map[string]string{"Content-Length: 2\r\n": "ab", "Transfer-Encoding: chunked\r\n": "0\r\n\r\n"}[fields]
		if got := Raw(t, addr, "POST / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n"+fields+"\r\n"+body); !strings.HasPrefix(got, "HTTP/1.1 201 ") && !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Fatalf("%q: %q", fields, got)
		}
		if got := <-seen; got != want {
			t.Errorf("%q: its length is %s, want %s", fields, got, want)
		}
	}
}

func h2LengthOfZeroIsTold(t *testing.T, f front) {
	h, seen := sayingLength(t)
	_, url := f.serve(t, Options{Handler: h})
	c := f.client(t)
	for method, want := range map[string]string{http.MethodGet: "0 false", http.MethodPost: "0 true"} { // Go's client says the length of a POST
		req, err := http.NewRequest(method, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		whole(t, resp, err)
		if got := <-seen; got != want {
			t.Errorf("%s: its length is %s, want %s", method, got, want)
		}
	}
}
