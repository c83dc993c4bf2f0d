package loop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// lasting is a listener that outlives its servers.
type lasting struct {
	net.Listener
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *lasting) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *lasting) Close() error { l.once.Do(func() { close(l.closed) }); return nil }

// TestTargetThatRestartsLosesNoPOST: one server after another takes over, and says
// goodbye to its connections in the midst of requests that must not be sent twice.
func TestTargetThatRestartsLosesNoPOST(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conns := make(chan net.Conn)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	var served, servers atomic.Int64
	serve := func() *http.Server {
		s := &http.Server{Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			served.Add(1)
			_, _ = io.Copy(w, r.Body)
		})}
		s.Protocols.SetUnencryptedHTTP2(true)
		servers.Add(1)
		go s.Serve(&lasting{Listener: ln, conns: conns, closed: make(chan struct{})})
		return s
	}
	h := newOver2(ln.Addr().String())
	h.done = make(chan exchange.Record, 1<<16)
	_, addr := startLoops(t, Options{Handler: h, HTTP2: true, Loops: 2})
	const workers, each = 12, 120
	var wg sync.WaitGroup
	clients := []*http.Client{{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}, version2(t)}
	for i := range workers {
		wg.Go(func() {
			for j := range each {
				want := bytes.Repeat([]byte{byte(i), byte(j)}, 1+(i*j)%5000)
				resp, err := clients[i%2].Post("http://"+addr, "", bytes.NewReader(want))
				if err != nil {
					t.Errorf("worker %d, request %d: %v, failures %v", i, j, err, h.failed())
					return
				}
				got, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || resp.StatusCode != 200 || !bytes.Equal(got, want) {
					t.Errorf("worker %d, request %d: %s, %d of %d bytes, %v, failures %v", i, j, resp.Status, len(got), len(want), err, h.failed())
					return
				}
			}
		})
	}
	over := make(chan struct{})
	go func() {
		wg.Wait()
		close(over)
	}()
	s := serve()
	for done := false; !done; {
		next := serve()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("the target's shutdown: %v", err)
		}
		cancel()
		s = next
		for before := served.Load(); !done && served.Load() < before+20; { // it is at work
			select {
			case <-over:
				done = true
			default:
				pause(t)
			}
		}
	}
	_ = s.Close()
	if n := served.Load(); !t.Failed() && n != workers*each {
		t.Errorf("%d requests were served, want %d", n, workers*each)
	}
	t.Logf("%d servers", servers.Load())
}

// TestTargetsOfAnyKindEndEveryRequest: whatever a target does, every request comes to an
// end, and nothing of one is in another.
func TestTargetsOfAnyKindEndEveryRequest(t *testing.T) {
	seed := rand.Uint64()
	up := frames2(t, func(n int, fr *http2.Framer, _ net.Conn) {
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		_ = fr.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: uint32(1 + r.IntN(20))}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(r.IntN(100_000))})
		head := func(id uint32, end bool) {
			_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte("\x88"), EndHeaders: true, EndStream: end})
		}
		last := uint32(0)
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.PingFrame:
				_ = fr.WritePing(true, f.Data)
			case *http2.DataFrame:
				if k := uint32(len(f.Data())); k > 0 {
					_ = fr.WriteWindowUpdate(0, k)
					if !f.StreamEnded() && r.IntN(10) > 0 {
						_ = fr.WriteWindowUpdate(f.StreamID, k)
					}
				}
			case *http2.HeadersFrame:
				last = f.StreamID
				text := []byte(fmt.Sprintf("%d;", f.StreamID))
				switch r.IntN(14) {
				case 0:
					_ = fr.WriteRSTStream(f.StreamID, http2.ErrCode(r.IntN(14)))
				case 1:
					head(f.StreamID, false)
					_ = fr.WriteRSTStream(f.StreamID, http2.ErrCode(r.IntN(14)))
				case 2:
					_ = fr.WriteGoAway(last-uint32(2*r.IntN(2)), http2.ErrCodeNo, nil)
				case 3:
					return
				case 4:
					head(f.StreamID, true)
					_ = fr.WriteRSTStream(f.StreamID, http2.ErrCodeNo)
				case 5:
					_ = fr.WriteData(f.StreamID, true, text) // without a head
				case 6:
					head(f.StreamID, false) // and never ends
				case 7:
					_ = fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(r.IntN(100_000))}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: uint32(r.IntN(20))})
					head(f.StreamID, true)
				default:
					head(f.StreamID, false)
					for range r.IntN(4) {
						_ = fr.WriteData(f.StreamID, false, text)
					}
					_ = fr.WriteData(f.StreamID, true, text)
				}
			}
		}
	})
	h := newOver2(up, up)
	h.done = make(chan exchange.Record, 1<<16)
	h.plan.Read, h.plan.Send, h.plan.Connect = 200*time.Millisecond, 200*time.Millisecond, 400*time.Millisecond
	e, addr := startLoops(t, Options{Handler: h, HTTP2: true})
	e.loops[0].mail.post(func() { e.loops[0].mostTrunks = 3 })
	clients := []*http.Client{{Transport: &http.Transport{MaxIdleConnsPerHost: 30}, Timeout: 30 * time.Second}, version2(t)}
	var wg sync.WaitGroup
	var whole, asked atomic.Int64
	for i := range 24 {
		r := rand.New(rand.NewPCG(seed, uint64(1000+i)))
		wg.Go(func() {
			for range 15 {
				ctx, cancel := context.WithCancel(t.Context())
				var body io.Reader
				method := http.MethodGet
				if r.IntN(2) == 0 {
					method, body = http.MethodPost, io.LimitReader(zeros{}, int64(r.IntN(200_000)))
				}
				req, _ := http.NewRequestWithContext(ctx, method, "http://"+addr, body)
				if r.IntN(8) == 0 {
					time.AfterFunc(time.Duration(r.IntN(20))*time.Millisecond, cancel)
				}
				asked.Add(1)
				resp, err := clients[i%2].Do(req)
				if err == nil {
					got, err := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					parts := bytes.Split(bytes.TrimSuffix(got, []byte(";")), []byte(";"))
					for _, p := range parts {
						if resp.StatusCode == 200 && !bytes.Equal(p, parts[0]) {
							t.Errorf("seed %d: an answer of two streams: %q", seed, got)
						}
					}
					if err == nil && resp.StatusCode == 200 {
						whole.Add(1)
					}
				}
				cancel()
			}
		})
	}
	wg.Wait()
	for end := time.Now().Add(20 * time.Second); e.InFlight() > 0; {
		if time.Now().After(end) {
			t.Fatalf("seed %d: %d requests have not ended", seed, e.InFlight())
		}
		pause(t)
	}
	if n := whole.Load(); n < asked.Load()/10 {
		t.Errorf("seed %d: %d of %d were answered: they show nothing", seed, n, asked.Load())
	}
	if err := e.loops[0].ask(func() error {
		for _, p := range e.loops[0].pools {
			branches := 0
			for _, tr := range p.trunks {
				branches += len(tr.branches)
			}
			if p.queued != 0 || branches != 0 {
				return fmt.Errorf("%d wait, %d branches", p.queued, branches)
			}
		}
		return nil
	}); err != nil {
		t.Errorf("seed %d: left over: %v", seed, err)
	}
	t.Logf("%d of %d were answered", whole.Load(), asked.Load())
}
