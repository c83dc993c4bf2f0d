package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestNoRequestIsLostWhileRoutesAreEdited(t *testing.T) {
	r := start(t)
	addrs := []string{backend(t, "0"), backend(t, "1")}
	route := func(i int) string {
		return `{"uri":"/*","upstream":{"nodes":{"` + addrs[i%2] + `":1}}}`
	}
	r.put("/apisix", "routes/1", route(0))
	ctx, cancel := context.WithCancel(t.Context())
	var sent, lost atomic.Int64
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			c := &http.Client{Transport: &http.Transport{DisableKeepAlives: i == 0}}
			defer c.CloseIdleConnections()
			for ctx.Err() == nil {
				resp, err := c.Post("http://"+r.data+"/", "text/plain", strings.NewReader("body"))
				sent.Add(1)
				if err != nil {
					lost.Add(1)
					t.Errorf("request: %v", err)
					return
				}
				b, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK || len(b) != 1 {
					lost.Add(1)
					t.Errorf("answer %d %q %v", resp.StatusCode, b, err)
				}
			}
		})
	}
	for i := range 50 {
		r.put("/apisix", "routes/1", route(i))
		// Once in force, the next request meets it.
		if _, body := r.get("http://"+r.data+"/", ""); body != fmt.Sprint(i%2) {
			t.Errorf("edit %d: answer of %s", i, body)
		}
	}
	cancel()
	wg.Wait()
	if lost.Load() > 0 || sent.Load() < 100 {
		t.Errorf("%d of %d requests lost", lost.Load(), sent.Load())
	}
	t.Logf("%d requests over 50 edits", sent.Load())
}

func TestDrainTurnsReadinessOffAndFinishesRequests(t *testing.T) {
	r := start(t)
	entered, release := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		_, _ = io.WriteString(w, "whole")
	}))
	defer s.Close()
	r.put("/apisix", "routes/1", `{"uri":"/*","upstream":{"nodes":{"`+s.Listener.Addr().String()+`":1}}}`)
	if status, _ := r.get("http://"+r.status+"/status/ready", ""); status != 200 {
		t.Fatalf("ready: %d", status)
	}
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + r.data + "/")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		answer <- string(b)
	}()
	<-entered
	r.stop()
	for {
		if status, body := r.get("http://"+r.status+"/status/ready", ""); status == 503 {
			if !strings.Contains(body, "draining") {
				t.Errorf("state while draining: %s", body)
			}
			break
		}
	}
	close(release)
	if got := <-answer; got != "whole" {
		t.Errorf("request in flight: %q", got)
	}
	err := <-r.ended
	r.ended <- err
	var line struct {
		Status int
		Route  string
		Tries  []int
	}
	if err := json.Unmarshal([]byte(r.access.String()), &line); err != nil || line.Status != 200 || line.Route != "1" || len(line.Tries) != 1 {
		t.Errorf("access log %q: %v", r.access.String(), err)
	}
}
