package staple

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

func anywhere(netip.Addr) bool { return true }

// from asks a server that answers so.
func from(t *testing.T, ctx context.Context, h http.HandlerFunc) ([]byte, error) {
	t.Helper()
	s := httptest.NewServer(h)
	defer s.Close()
	u, err := url.Parse(s.URL + "/ocsp")
	if err != nil {
		t.Fatal(err)
	}
	return OverHTTP(anywhere)(ctx, u, []byte("question"))
}

func TestResponderIsAskedByPost(t *testing.T) {
	got, err := from(t, t.Context(), func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/ocsp" || r.Header.Get("Content-Type") != "application/ocsp-request" || string(b) != "question" {
			t.Errorf("asked with %s %s %v %q", r.Method, r.URL, r.Header, b)
		}
		_, _ = io.WriteString(w, strings.Repeat("a", longestAnswer))
	})
	if err != nil || len(got) != longestAnswer {
		t.Errorf("%d bytes, %v, want %d", len(got), err, longestAnswer)
	}
}

func TestWhatIsNoAnswerIsRefused(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirection is followed") }))
	defer elsewhere.Close()
	for want, h := range map[string]http.HandlerFunc{
		"more than 16384 bytes": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("a", longestAnswer+1))
		},
		"status 404": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"status 307": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"headers exceeded": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("A", strings.Repeat("a", longestHead)) },
		"EOF":              func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"unexpected EOF": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "a")
		},
	} {
		if _, err := from(t, t.Context(), h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestSlowResponderIsGivenUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := from(t, ctx, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // the client is gone
	}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want that its time is over", err)
	}
}

func TestRespondersAreNotAskedWhereTheyHaveNoBusiness(t *testing.T) {
	for address, want := range map[string]bool{
		"203.0.113.7": true, "10.1.2.3": true, "2001:db8::1": true, "fd00::1": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "0.1.2.3": false, "::": false,
		"169.254.169.254": false, "fe80::1": false, "224.0.0.1": false, "255.255.255.255": false, "100.64.0.1": false, "::ffff:100.127.255.1": false, "100.128.0.1": true,
	} {
		if got := Elsewhere(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	defer s.Close()
	u, err := url.Parse(strings.Replace(s.URL, "127.0.0.1", "localhost", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OverHTTP(Elsewhere)(t.Context(), u, nil); !errors.Is(err, errAddress) {
		t.Errorf("loopback by name: %v, want %v", err, errAddress)
	}
}
