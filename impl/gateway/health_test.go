package gateway

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestHealthTakesATargetOutAndBringsItBack(t *testing.T) {
	r := start(t)
	one := backend(t, "one")
	var sick atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/health" && sick.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, "two")
	}))
	defer s.Close()
	r.put("/apisix", "upstreams/u", `{"nodes":{"`+one+`":1,"`+s.Listener.Addr().String()+`":1},"checks":{"active":{"http_path":"/health","healthy":{"interval":1,"successes":1},"unhealthy":{"interval":1,"http_failures":1}}}}`)
	r.put("/apisix", "routes/1", `{"uri":"/*","upstream_id":"u"}`)
	answers := func() map[string]int {
		got := map[string]int{}
		for range 10 {
			_, body := r.get("http://"+r.data+"/", "")
			got[body]++
		}
		return got
	}
	if got := answers(); got["one"] != 5 || got["two"] != 5 {
		t.Fatalf("healthy: %v", got)
	}
	sick.Store(true)
	r.until(`"status":"unhealthy"`)
	if got := answers(); got["one"] != 10 {
		t.Errorf("one sick: %v", got)
	}
	// A change of other things leaves the state alone.
	r.put("/apisix", "upstreams/v", `{"nodes":{"`+one+`":1}}`)
	r.put("/apisix", "routes/2", `{"uri":"/v","upstream_id":"v"}`)
	if got := answers(); got["one"] != 10 {
		t.Errorf("after another change: %v", got)
	}
	sick.Store(false)
	r.until(`"status":"healthy"`, `"status":"unhealthy"`)
	if got := answers(); got["two"] != 5 {
		t.Errorf("healthy again: %v", got)
	}
}

func TestPassiveCheckTakesATargetOutAfterFailures(t *testing.T) {
	r := start(t)
	one, dead := backend(t, "one"), freeAddr(t)
	_, port, _ := net.SplitHostPort(one)
	// The probes go to a port where somebody answers, so only requests can
	// find the dead target.
	r.put("/apisix", "routes/1", `{"uri":"/*","upstream":{"nodes":{"`+one+`":1,"`+dead+`":1},"checks":{
		"active":{"type":"tcp","port":`+port+`,"healthy":{"interval":60},"unhealthy":{"interval":60}},
		"passive":{"type":"http","unhealthy":{"tcp_failures":1}}}}}`)
	for range 8 {
		if status, body := r.get("http://"+r.data+"/", ""); status != 200 || body != "one" {
			t.Fatalf("%d %q", status, body)
		}
	}
	if _, body := r.get("http://"+r.status+"/status/upstreams", ""); strings.Count(body, `unhealthy","counter"`) != 1 {
		t.Errorf("health: %s", body)
	}
}

// until asks for the health of targets until the page has the text, and lacks
// the others.
func (r *region) until(text string, without ...string) {
	r.t.Helper()
	// The page has no wait of its own: look again and again.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(10 * time.Second)
	for ; time.Now().Before(deadline); <-tick.C {
		_, body := r.get("http://"+r.status+"/status/upstreams", "")
		ok := strings.Contains(body, text)
		for _, w := range without {
			ok = ok && !strings.Contains(body, w)
		}
		if ok {
			return
		}
	}
	r.t.Fatalf("no %s within 10 s", text)
}
