package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// A gateway that says for each question, in turn, what is in force.
func saying(t *testing.T, answers <-chan int64, asked chan<- int64) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rev, err := strconv.ParseInt(r.URL.Query().Get("revision"), 10, 64)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		select {
		case asked <- rev:
		case <-r.Context().Done():
		}
		select {
		case now := <-answers:
			if now < rev {
				w.WriteHeader(http.StatusGatewayTimeout)
			}
			_, _ = fmt.Fprintf(w, `{"applied":{"/apisix":%d,"/unilb/listeners":99}}`, now)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestFollowerAsksForTheNextRevisionAndKnowsWhenEachCame(t *testing.T) {
	ctx, end := context.WithTimeout(t.Context(), 20*time.Second)
	defer end()
	answers, asked := make(chan int64), make(chan int64, 16)
	f := follow(ctx, http.DefaultClient, saying(t, answers, asked))
	answers <- 7
	answers <- 7 // the question for 8 was not answered in time
	answers <- 9
	at, err := f.reached(ctx, 8)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.reached(ctx, 9)
	if err != nil || !again.Equal(at) {
		t.Errorf("9 came at %s, %v, want with the answer that says 8 is reached, %s", again, err, at)
	}
	for _, want := range []int64{1, 8, 8, 10} {
		if got := <-asked; got != want {
			t.Errorf("asked for %d, want %d", got, want)
		}
	}
	short, end := context.WithTimeout(ctx, 10*time.Millisecond)
	defer end()
	if at, err := f.reached(short, 10); err == nil {
		t.Errorf("10 came at %s, and nobody said so", at)
	}
}

func TestFollowerTellsWhenAGatewayDoesNotAnswer(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	if _, err := follow(t.Context(), http.DefaultClient, s.Listener.Addr().String()).reached(t.Context(), 1); err == nil {
		t.Error("no complaint")
	}
}
