//go:build slow

package loop

import (
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestManyKindsOfClientsGetTheirBytes has everything at once, for a bounded time.
func TestManyKindsOfClientsGetTheirBytes(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		seed, _ := strconv.Atoi(q.Get("seed"))
		n, _ := strconv.Atoi(q.Get("n"))
		if q.Get("early") == "" {
			h := crc32.NewIEEE()
			k, err := io.Copy(h, r.Body)
			w.Header().Set("X-Sum", fmt.Sprintf("%d %d %v", k, h.Sum32(), err))
		}
		b := pattern(seed, n)
		if q.Get("cl") != "" {
			w.Header().Set("Content-Length", strconv.Itoa(n))
		}
		if q.Get("close") != "" {
			w.Header().Set("Connection", "close")
		}
		rr := rand.New(rand.NewPCG(uint64(seed), 3))
		for len(b) > 0 {
			k := min(len(b), 1+rr.IntN(200_000))
			if _, err := w.Write(b[:k]); err != nil {
				return
			}
			b = b[k:]
			if rr.IntN(3) == 0 {
				_ = http.NewResponseController(w).Flush()
			}
			if rr.IntN(10) == 0 {
				<-time.After(time.Duration(rr.IntN(20)) * time.Millisecond)
			}
		}
	}))
	defer s.Close()
	h := &fn{target: s.Listener.Addr().String()}
	e, addr, _ := serve(t, Options{Handler: h, Loops: 2})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	end := time.Now().Add(5 * time.Second)
	var wg sync.WaitGroup
	for g := range 12 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			for time.Now().Before(end) && !t.Failed() {
				one(t, r, addr)
			}
		})
	}
	wg.Wait()
	s.CloseClientConnections()
	for deadline := time.Now().Add(20 * time.Second); e.InFlight() > 0 || e.room.Taken() > 0; <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d exchanges and %d connections are left over", e.InFlight(), e.room.Taken())
		}
	}
	if len(h.records) == 0 || e.spliced.Load() == 0 {
		t.Errorf("%d exchanges, %d bytes moved by the kernel: nothing was tried", len(h.records), e.spliced.Load())
	}
}
