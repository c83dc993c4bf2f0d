package history

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// BenchmarkWrite is what an entry costs a write that reads before, as all of the Admin
// API do, with 64 callers on an etcd that does not sync.
func BenchmarkWrite(b *testing.B) {
	value := []byte(`{"uri":"/` + strings.Repeat("x", 1000) + `"}`)
	for _, recorded := range []bool{false, true} {
		b.Run(fmt.Sprintf("recorded=%v", recorded), func(b *testing.B) {
			plain, err := store.Open(store.Options{Endpoints: []string{etcdtest.Start(b).Endpoint()}})
			if err != nil {
				b.Fatal(err)
			}
			defer plain.Close()
			st := &Store{Store: plain, Objects: "/apisix"}
			var callers atomic.Int64
			b.SetParallelism(64)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				key := fmt.Sprintf("/apisix/routes/%d", callers.Add(1))
				for pb.Next() {
					ctx := context.Background()
					if recorded {
						ctx = By(ctx, Who{Author: "bench", What: "PUT"})
					}
					kv, _, _, err := st.Get(ctx, key)
					if err == nil {
						_, err = st.Commit(ctx, []store.Cond{{Key: key, Mod: kv.Mod}}, store.Op{Key: key, Value: value})
					}
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
		})
	}
}
