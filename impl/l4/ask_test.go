package l4

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestProbeAnswers(t *testing.T) {
	for _, c := range []struct {
		name, body string
		code       int
		want       Outcome
	}{
		{"serving", `{"state":"serving"}`, 200, IsReady},
		{"draining", `{"state":"draining"}`, 503, IsDraining},
		{"starting", `{"state":"starting"}`, 503, Missed},
		{"no body", ``, 503, Missed},
		{"draining with another code", `{"state":"draining"}`, 500, Missed},
		{"redirect", `{"state":"serving"}`, 302, Missed},
		{"endless body", strings.Repeat(" ", 1<<20), 503, Missed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/status/ready" || r.Method != http.MethodGet {
					t.Errorf("asked %s %s", r.Method, r.URL.Path)
				}
				w.Header().Set("Location", "/")
				w.WriteHeader(c.code)
				_, _ = io.WriteString(w, c.body)
			}))
			defer s.Close()
			got, reason := HTTPProbe(nil)(t.Context(), s.URL+"/status/ready")
			if got != c.want {
				t.Errorf("got %d (%s), want %d", got, reason, c.want)
			}
			if (got == Missed) != (reason != "") {
				t.Errorf("outcome %d with reason %q", got, reason)
			}
		})
	}
}

func TestProbeOfNobodyIsAMiss(t *testing.T) {
	s := httptest.NewServer(nil)
	url := s.URL
	s.Close()
	if got, reason := HTTPProbe(nil)(t.Context(), url); got != Missed || !strings.Contains(reason, "refused") {
		t.Errorf("got %d (%s), want a refused connection", got, reason)
	}
}

// A dial that outlived its probe would be one more socket with every probe of a
// dead member.
func TestDialEndsWithItsProbe(t *testing.T) {
	ended := make(chan struct{})
	probe := HTTPProbe(func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if got, _ := probe(ctx, "http://100.127.0.1:9092/status/ready"); got != Missed {
		t.Errorf("got %d, want a miss", got)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the dial goes on after its probe")
	}
}
