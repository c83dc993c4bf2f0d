package std

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// toHTTP2 sends every request to one target that speaks HTTP/2.
type toHTTP2 struct {
	*enginetest.Handler
	pool exchange.Pool
}

func (h toHTTP2) OnRequest(x *exchange.Exchange) exchange.Verdict {
	const s = time.Second
	return x.Forward(exchange.Plan{Target: &exchange.Target{Pool: h.pool}, Host: x.Request.Authority, Connect: 5 * s, Send: 5 * s, Read: 20 * s})
}

// TestRequestsBeyondTheBoundOfAConnectionTakeAnother: a target takes two streams by each
// connection, and none of six ends before all have come. Nobody may wait for another.
func TestRequestsBeyondTheBoundOfAConnectionTakeAnother(t *testing.T) {
	const many = 6
	for name, idle := range map[string]int{"kept": 8, "used once": 0} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			peers, came, all := map[string]int{}, 0, make(chan struct{})
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				mu.Lock()
				peers[r.RemoteAddr]++
				if came++; came == many {
					close(all)
				}
				mu.Unlock()
				<-all
			}))
			s.Config.Protocols = new(http.Protocols)
			s.Config.Protocols.SetUnencryptedHTTP2(true)
			s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 2}
			s.Start()
			defer s.Close()
			pool := exchange.Pool{Address: s.Listener.Addr().String(), HTTP2: true, IdleConns: idle, IdleTimeout: time.Minute}
			_, addr := start(t, Options{Handler: toHTTP2{enginetest.NewHandler(), pool}})
			var wg sync.WaitGroup
			for i := range many {
				wg.Go(func() {
					resp, err := http.Get(fmt.Sprintf("http://%s/%d", addr, i))
					if err != nil {
						t.Error(err)
						return
					}
					defer resp.Body.Close()
					if resp.StatusCode != http.StatusOK {
						t.Errorf("status %d", resp.StatusCode)
					}
				})
			}
			wg.Wait()
			most := 2
			if idle == 0 {
				most = 1
			}
			for peer, n := range peers {
				if n > most {
					t.Errorf("%d streams at a time by %s, want at most %d", n, peer, most)
				}
			}
			if idle > 0 && len(peers) == many {
				t.Errorf("%d connections for %d requests", len(peers), many)
			}
		})
	}
}
