package admin_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// writers is how many callers write at once.
const writers = 64

// BenchmarkPutOfRoutes is PUT of routes that are there, over HTTP, by 64 callers at once,
// and how it compares with a bare get and a bare transaction of the same object. All of
// it, the callers and etcd too, is one process.
func BenchmarkPutOfRoutes(b *testing.B) {
	st, err := store.Open(store.Options{Endpoints: []string{etcdtest.Start(b).Endpoint()}})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	h, err := admin.New(admin.Options{Store: &history.Store{Store: st, Objects: "/apisix"}})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: writers}}
	put := func(ctx context.Context, n int) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPut, fmt.Sprintf("%s/apisix/admin/routes/r%d", server.URL, n%1000), bytes.NewReader(routeBody(n)))
		if err != nil {
			return err
		}
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode > 201 {
			return fmt.Errorf("status %d, %w", resp.StatusCode, err)
		}
		return nil
	}
	bare := func(ctx context.Context, n int) error {
		key := fmt.Sprintf("/bare/routes/r%d", n%1000)
		kv, _, _, err := st.Get(ctx, key)
		if err != nil {
			return err
		}
		_, err = st.Commit(ctx, []store.Cond{{Key: key, Mod: kv.Mod}}, store.Op{Key: key, Value: routeBody(n)})
		return err
	}
	var rate, cpu [2]float64 // writes a second, and us of CPU a write: the second hardly depends on who else computes
	for i, do := range []func(context.Context, int) error{put, bare} {
		each(b, 1000, do) // they are there
		began, used := time.Now(), cpuTime(b)
		each(b, b.N, do)
		rate[i] = float64(b.N) / time.Since(began).Seconds()
		cpu[i] = float64((cpuTime(b) - used).Microseconds()) / float64(b.N)
	}
	b.ReportMetric(rate[0], "writes/s")
	b.ReportMetric(rate[1], "bare-writes/s")
	b.ReportMetric(rate[0]/rate[1], "ratio")
	b.ReportMetric(cpu[0], "cpu-us/write")
	b.ReportMetric(cpu[1], "cpu-us/bare-write")
}

// cpuTime is what the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// each does something n times, by all writers.
func each(b *testing.B, n int, do func(context.Context, int) error) {
	var wg sync.WaitGroup
	var next atomic.Int64
	for range writers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(b.Context(), i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func routeBody(n int) []byte {
	return fmt.Appendf(nil, `{"name":"shop-%d","desc":"route of a shop","labels":{"team":"shop","env":"production"},"hosts":["shop-%d.example.com"],`+
		`"uris":["/api/v1/orders","/api/v1/orders/*"],"methods":["GET","POST"],"vars":[["http_x_tenant","==","t%d"]],`+
		`"plugins":{"proxy-rewrite":{"uri":"/orders"},"prometheus":{"prefer_name":true}},`+
		`"upstream":{"type":"roundrobin","nodes":{"10.0.%d.1:8080":1,"10.0.%d.2:8080":1}}}`, n, n, n%500, n>>8&255, n&255)
}
