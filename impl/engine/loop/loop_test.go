package loop

import (
	"context"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// start serves a handler, with buffers that are overwritten as soon as they may be.
func start(t *testing.T, o enginetest.Options) (enginetest.Engine, string) {
	t.Helper()
	return startLoops(t, Options{Handler: o.Handler, MaxBody: o.MaxBody, MaxConns: o.MaxConns, Server: o.Server, Draining: o.Draining, Roots: o.Roots, TLS: o.TLS, HeadTimeout: o.HeadTimeout, IdleTimeout: o.IdleTimeout, BodyTimeout: o.BodyTimeout, HalfClose: o.HalfClose, HTTP2: o.HTTP2})
}

// tooSlow is a batch that no machine explains: a busy neighbour costs a loop caches, and
// the collector some of its time.
const tooSlow = 5 * slowBatch

func startLoops(t *testing.T, o Options) (*Engine, string) {
	t.Helper()
	o.Poison = true
	if o.Slow == nil && !raceEnabled {
		before := stolen(t)
		o.Slow = func(took time.Duration) {
			n := stolen(t) - before // which the kernel takes for ours
			t.Logf("a batch took %s, and %d ticks were stolen from this machine", took, n)
			if n == 0 && took > tooSlow {
				t.Errorf("a batch took %s of the loop's time, want at most %s", took, tooSlow)
			}
		}
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := e.Listen(context.Background(), "127.0.0.1:0", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e, enginetest.Serve(t, e, ln, o.TLS != nil)
}

// stolen is how much of the time of this machine went to others, in ticks of 10 ms.
func stolen(t testing.TB) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Error(err)
	}
	const steal = 8 // the field of the first line
	n, err := strconv.ParseInt(strings.Fields(string(b))[steal], 10, 64)
	if err != nil {
		t.Error(err)
	}
	return n
}

// blocking is a handler that computes where it must not.
type blocking struct{ plain }

func (b *blocking) OnRequest(x *exchange.Exchange) exchange.Verdict {
	for begin := threadTime(); threadTime()-begin < 2*tooSlow; {
	}
	return x.RespondBytes(200, "", nil)
}

func TestHandlerThatKeepsTheLoopIsNoticed(t *testing.T) {
	slow := make(chan time.Duration, 1)
	_, addr := startLoops(t, Options{Handler: &blocking{}, Slow: func(took time.Duration) { slow <- took }})
	resp, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if took := <-slow; took < 2*tooSlow {
		t.Errorf("noticed %s, want at least %s", took, 2*tooSlow)
	}
}

func TestLoopIsAnEngine(t *testing.T) { enginetest.Run(t, start, true) }

func TestLoopServesClientsOfHTTP2(t *testing.T) { enginetest.RunHTTP2Clients(t, start) }

func TestLoopServesTargetsOfHTTP2(t *testing.T) { enginetest.RunHTTP2Targets(t, start, true) }
