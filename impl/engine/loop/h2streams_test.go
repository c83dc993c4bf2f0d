package loop

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

func TestStreamsBeyondTheLimitTakeOtherConnections(t *testing.T) {
	const limit, all = 10, 60
	var mu sync.Mutex
	peers := map[string]int{}
	begun, end := make(chan struct{}, all), make(chan struct{})
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		peers[r.RemoteAddr]++
		mu.Unlock()
		begun <- struct{}{}
		<-end
		fmt.Fprint(w, "ok")
	}, &http.HTTP2Config{MaxConcurrentStreams: limit})
	h := newOver2(up)
	_, addr := startLoops(t, Options{Handler: h})
	var wg sync.WaitGroup
	for range all {
		wg.Go(func() {
			if resp, err := http.Post("http://"+addr, "", strings.NewReader("x")); err != nil || resp.StatusCode != 200 {
				t.Errorf("%v %v, failures %v", resp, err, h.failed())
			}
		})
	}
	for i := range all {
		select {
		case <-begun:
		case <-time.After(20 * time.Second):
			t.Errorf("%d of %d have begun, failures %v", i, all, h.failed())
		}
		if t.Failed() {
			break
		}
	}
	close(end)
	wg.Wait()
	if n := len(peers); n < all/limit || n > all {
		t.Errorf("%d requests at a time used %d connections of %d each", all, n, limit)
	}
	for peer, n := range peers {
		if n > limit {
			t.Errorf("%s has carried %d at a time", peer, n)
		}
	}
}

func TestRequestsWaitForStreamsWhenNoConnectionMayBeMade(t *testing.T) {
	const limit, all = 2, 40
	var now, most atomic.Int64
	goOn := make(chan struct{})
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		if r.URL.Path == "/hold" {
			<-goOn
		}
		now.Add(-1)
		fmt.Fprint(w, "ok")
	}, &http.HTTP2Config{MaxConcurrentStreams: limit})
	h := newOver2(up)
	e, addr := startLoops(t, Options{Handler: h})
	e.loops[0].mail.post(func() { e.loops[0].mostTrunks = 2 })
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			path := "/"
			if i%4 == 0 {
				path = "/hold"
			}
			if resp, err := http.Get("http://" + addr + path); err != nil || resp.StatusCode != 200 {
				t.Errorf("%v %v, failures %v", resp, err, h.failed())
			}
		})
		if i == all/2 {
			close(goOn)
		}
	}
	wg.Wait()
	if n := most.Load(); n > 2*limit {
		t.Errorf("%d at a time on two connections of %d", n, limit)
	}
}

// TestRequestsThatWaitTakeTheFirstStreamThatIsFree, on whatever connection.
func TestRequestsThatWaitTakeTheFirstStreamThatIsFree(t *testing.T) {
	hold, short := make(chan struct{}), make(chan struct{})
	begun := make(chan struct{}, 2)
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hold":
			begun <- struct{}{}
			<-hold
		case "/short":
			begun <- struct{}{}
			<-short
		}
		fmt.Fprint(w, "ok")
	}, &http.HTTP2Config{MaxConcurrentStreams: 1})
	h := newOver2(up)
	e, addr := startLoops(t, Options{Handler: h})
	l := e.loops[0]
	if status, _ := ask(t, "http://"+addr); status != 200 { // the limit is known then
		t.Fatalf("got %d", status)
	}
	l.mail.post(func() { l.mostTrunks = 2 })
	var held, others sync.WaitGroup
	get := func(path string) {
		if resp, err := http.Get("http://" + addr + path); err != nil || resp.StatusCode != 200 {
			t.Errorf("%s: %v %v, failures %v", path, resp, err, h.failed())
		}
	}
	held.Go(func() { get("/hold") })
	<-begun
	others.Go(func() { get("/short") })
	<-begun
	for range 6 {
		others.Go(func() { get("/") })
	}
	for waiting := 0; waiting < 6; {
		if err := l.ask(func() error {
			for _, p := range l.pools {
				waiting = p.queued
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		pause(t)
	}
	close(short)
	others.Wait()
	close(hold)
	held.Wait()
}

func TestWaitForAStreamIsLimitedAsConnectingIs(t *testing.T) {
	end := make(chan struct{})
	up := target2(t, func(http.ResponseWriter, *http.Request) { <-end }, &http.HTTP2Config{MaxConcurrentStreams: 1})
	defer close(end)
	h := newOver2(up)
	h.plan.Connect = 100 * time.Millisecond
	e, addr := startLoops(t, Options{Handler: h})
	e.loops[0].mail.post(func() { e.loops[0].mostTrunks = 1 })
	first := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr, nil)
		_, err := http.DefaultClient.Do(req)
		first <- err
	}()
	for e.InFlight() == 0 {
		pause(t)
	}
	// The first may be refused once: the limit is not known when it goes.
	if status, _ := ask(t, "http://"+addr); status != 502 {
		t.Errorf("got %d", status)
	}
	if f := h.failed(); len(f) != 1 || f[0].Kind != exchange.TimedOutConnect || f[0].Sent || !f[0].Replayable {
		t.Errorf("failures %+v", f)
	}
	cancel()
	<-first
}
