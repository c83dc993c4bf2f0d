package admin_test

import (
	"fmt"
	"sync"
	"testing"
)

func TestDeleteEndsWhileOthersWrite(t *testing.T) {
	t.Parallel()
	const writers, deletes = 8, 8
	a := newAPI(t)
	for i := range deletes {
		a.must(201, fmt.Sprintf("PUT /upstreams/u%d", i), `{"nodes":{}}`)
		a.must(201, fmt.Sprintf("PUT /services/s%d", i), `{"upstream":{"nodes":{}}}`)
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				line := fmt.Sprintf("PUT /routes/r%d", w)
				if w%4 == 3 {
					line = fmt.Sprintf("PUT /services/other%d", w)
				}
				r := a.call(line, fmt.Sprintf(`{"upstream":{"nodes":{}},"desc":"%d"%s}`, n, map[bool]string{true: `,"uri":"/"`}[w%4 != 3]))
				if r.code != 200 && r.code != 201 {
					t.Errorf("writer: %d %s", r.code, r.raw)
					return
				}
			}
		})
	}
	for i := range deletes {
		for _, line := range []string{fmt.Sprintf("DELETE /upstreams/u%d", i), fmt.Sprintf("DELETE /services/s%d", i)} {
			if r := a.call(line, ""); r.code != 200 {
				t.Errorf("%s: got %d %s", line, r.code, r.raw)
			}
		}
	}
	close(stop)
	wg.Wait()
}
