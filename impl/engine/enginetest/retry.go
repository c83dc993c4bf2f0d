package enginetest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

func connectFailureIsTriedAgainWithTheWholeBody(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, len(b))
	})
	h := NewHandler(refusing(t), up)
	_, addr := start(t, Options{Handler: h})
	resp, err := http.Post("http://"+addr, "", io.LimitReader(zeros{}, 300<<10)) // beyond the replay buffer: nothing was read yet
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	f := h.Failures()
	if string(b) != fmt.Sprint(300<<10) || len(f) != 1 || f[0].Kind != exchange.FailedConnect || f[0].Sent || !f[0].Replayable {
		t.Errorf("body %s, failures %+v", b, f)
	}
}

// cutter accepts connections, reads some bytes and closes.
func cutter(t *testing.T, read int) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(c, make([]byte, read))
			c.Close()
		}
	}()
	return ln.Addr().String()
}

func smallBodyIsSentAgainLargeOneIsNot(t *testing.T, start Starter) {
	var got atomic.Int64
	up := Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		got.Store(n)
	})
	for _, c := range []struct {
		size, status int
	}{{10 << 10, 200}, {200 << 10, 502}} {
		h := NewHandler(cutter(t, c.size+50), up)
		_, addr := start(t, Options{Handler: h})
		req, _ := http.NewRequest(http.MethodPut, "http://"+addr, bytes.NewReader(make([]byte, c.size)))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		f := h.Failures()
		if resp.StatusCode != c.status || len(f) != 1 || !f[0].Sent || f[0].Replayable != (c.status == 200) {
			t.Errorf("%d bytes: status %d, failures %+v", c.size, resp.StatusCode, f)
		}
		if c.status == 200 && got.Load() != int64(c.size) {
			t.Errorf("second target got %d bytes of %d", got.Load(), c.size)
		}
	}
}

func silentTargetIsATimeout(t *testing.T, start Starter) {
	release := make(chan struct{})
	up := Backend(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	h := NewHandler(up)
	h.plan.Read = 50 * time.Millisecond
	_, addr := start(t, Options{Handler: h})
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if f := h.Failures(); resp.StatusCode != http.StatusGatewayTimeout || len(f) != 1 || f[0].Kind != exchange.TimedOutRead || !f[0].Sent {
		t.Errorf("status %d, failures %+v", resp.StatusCode, f)
	}
}
