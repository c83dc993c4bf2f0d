package loop

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/engine/enginetest"
)

// drip writes a byte every 20 ms until nobody takes it or ctx is done.
func drip(ctx context.Context, w io.Writer) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := w.Write([]byte("x")); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func TestBodyThatDripsIsGivenUp(t *testing.T) {
	up := answering(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	h := enginetest.NewHandler(up)
	_, url := startBoth(t, Options{Handler: h, BodyTimeout: 400 * time.Millisecond, MinBodyRate: 1000})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for version, send := range map[string]func() error{
		"HTTP/1.1": func() error {
			c, err := net.Dial("tcp", url[len("http://"):])
			if err != nil {
				return err
			}
			defer c.Close()
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
			drip(ctx, c)
			return ctx.Err()
		},
		"HTTP/2": func() error {
			pr, pw := io.Pipe()
			go drip(ctx, pw)
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, pr)
			if err != nil {
				return err
			}
			if resp, err := version2(t).Do(req); err == nil {
				_ = resp.Body.Close()
			}
			_ = pr.Close() // drip ends
			return ctx.Err()
		},
	} {
		if err := send(); err != nil {
			t.Errorf("%s: a byte every 20 ms is taken for ever, want 1000 a second: %v", version, err)
			continue
		}
		if r := <-h.Done; !r.Cut || r.Received > 10000 {
			t.Errorf("%s: record %+v, want cut early", version, r)
		}
	}
}

func TestBodyThatWaitsForItsTargetIsNotSlow(t *testing.T) {
	begin := make(chan struct{})
	up := answering(t, func(w http.ResponseWriter, r *http.Request) {
		<-begin
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	_, url := startBoth(t, Options{Handler: enginetest.NewHandler(up), BodyTimeout: 300 * time.Millisecond, MinBodyRate: 1 << 20})
	time.AfterFunc(900*time.Millisecond, func() { close(begin) })
	resp, err := http.Post(url, "", io.LimitReader(zeros{}, 8<<20))
	if got := whole(t, resp, err); got != fmt.Sprint(8<<20) {
		t.Errorf("the target got %q bytes, want %d", got, 8<<20)
	}
}
