package traffic

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
)

type world struct {
	t    *testing.T
	rec  *history.Recorder
	echo *echo.Server
	to   netip.AddrPort
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, rec: history.NewRecorder(history.NewClock())}
	l := listen(t)
	w.to = l.Addr().(*net.TCPAddr).AddrPort()
	w.echo = echo.New(echo.Options{Ref: "idc/x/blue-1", Sink: w.rec})
	go func() { _ = w.echo.Serve(l) }()
	t.Cleanup(func() { _ = w.echo.Close() })
	return w
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func (w *world) session(o Options) *Session {
	s := NewSession(Client{Ref: "client/inet-1", Dialer: Here{}}, w.to, w.rec, o)
	w.t.Cleanup(s.Close)
	return s
}

// peer answers every connection with what script does to it.
func (w *world) peer(script func(net.Conn)) {
	l := listen(w.t)
	w.to = l.Addr().(*net.TCPAddr).AddrPort()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go script(c)
		}
	}()
}

func TestConnectionIdentityAndReuseAreRecorded(t *testing.T) {
	w := newWorld(t)
	s := w.session(Options{Conns: ConnPolicy{Keep: 1}})
	var ops []history.Op
	for range 3 {
		ops = append(ops, s.Do(t.Context(), Request{}).Op)
	}
	if ops[0].Conn == 0 || ops[0].Conn != ops[2].Conn || ops[0].Reused != 0 || ops[2].Reused != 2 {
		t.Errorf("kept connection: %+v", ops)
	}
	w.echo.CutConns()
	if o := s.Do(t.Context(), Request{}).Op; o.Outcome != history.OK || o.Conn == ops[0].Conn || o.Reused != 0 {
		t.Errorf("after the server closed an idle connection: %+v", o)
	}
	fresh := w.session(Options{})
	a, b := fresh.Do(t.Context(), Request{}).Op, fresh.Do(t.Context(), Request{}).Op
	if a.Conn == b.Conn || a.Outcome != history.OK || b.Reused != 0 {
		t.Errorf("a connection for each request: %+v %+v", a, b)
	}
	if h := w.rec.Snapshot(); len(h.Ops) != 6 || len(h.Arrivals) != 6 || h.Arrivals[5].From != b.From || h.Arrivals[5].ID != b.ID {
		t.Errorf("client and backend do not agree: %+v", h)
	}
}

func TestBodiesAreOnRecordAtBothEnds(t *testing.T) {
	w := newWorld(t)
	s := w.session(Options{Conns: ConnPolicy{Keep: 1}, KeepBody: 1})
	for _, n := range []int{0, 1, chunkBytes, 3*chunkBytes + 7} {
		for _, chunked := range []bool{false, true} {
			r := Request{Method: "POST", Body: echo.Pattern(n), Chunked: chunked}.With(echo.HeaderSize, "100000")
			o := s.Do(t.Context(), r).Op
			as := w.rec.Snapshot().ByID()[o.ID]
			if len(as) != 1 || as[0].Cut || o.Request.BodyLen != int64(n) || as[0].Seen.BodyLen != int64(n) || as[0].Seen.BodySum != o.Request.BodySum {
				t.Fatalf("%d bytes, chunked %t: sent %+v, arrived %+v", n, chunked, o.Request, as)
			}
			if got, want := *o.Response, *as[0].Answer; got.BodySum == "" || got.BodySum != want.BodySum || got.BodyLen != want.BodyLen || want.BodyLen != 100000 {
				t.Errorf("%d bytes, chunked %t: written %+v, read %+v", n, chunked, want, got)
			}
		}
	}
}

func TestOutcomesAndClasses(t *testing.T) {
	const backend = "X-Echo-Backend: b\r\n"
	answer := func(text string, then func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) {
			b := make([]byte, 4096)
			_, _ = c.Read(b)
			_, _ = io.WriteString(c, text)
			then(c)
		}
	}
	end := func(c net.Conn) { _ = c.Close() }
	cut := func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); _ = c.Close() }
	hold := func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); _ = c.Close() }
	for name, c := range map[string]struct {
		script  func(net.Conn)
		outcome history.Outcome
		class   history.ErrClass
	}{
		"gateway's 404":       {answer("HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", end), history.Fail, history.Class4xxGateway},
		"gateway's 502":       {answer("HTTP/1.1 502 x\r\nContent-Length: 0\r\n\r\n", end), history.Info, history.Class5xxGateway},
		"gateway's 200":       {answer("HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n", end), history.Info, history.ClassOddGateway},
		"answer of another":   {answer("HTTP/1.1 200 x\r\nX-Echo-Op: foreign\r\n"+backend+"Content-Length: 0\r\n\r\n", end), history.Info, history.ClassProtocol},
		"reset without bytes": {answer("", cut), history.Info, history.ClassReset},
		"closed before":       {answer("", end), history.Info, history.ClassEOF},
		"closed in the head":  {answer("HTTP/1.1 200 x\r\nConte", end), history.Info, history.ClassEOF},
		"closed in the body":  {answer("HTTP/1.1 200 x\r\n"+backend+"Content-Length: 5\r\n\r\nab", end), history.Info, history.ClassEOF},
		"cut chunked body":    {answer("HTTP/1.1 200 x\r\n"+backend+"Transfer-Encoding: chunked\r\n\r\n5\r\nab", end), history.Info, history.ClassEOF},
		"reset in the body":   {answer("HTTP/1.1 200 x\r\n"+backend+"Content-Length: 5\r\n\r\nab", cut), history.Info, history.ClassReset},
		"silence":             {answer("", hold), history.Info, history.ClassTimeout},
		"silence in the body": {answer("HTTP/1.1 200 x\r\n"+backend+"Content-Length: 5\r\n\r\nab", hold), history.Info, history.ClassTimeout},
		"not HTTP":            {answer("SSH-2.0-x\r\n\r\n", end), history.Info, history.ClassProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.peer(c.script)
			o := w.session(Options{Timeout: 300 * time.Millisecond}).Do(t.Context(), Request{}).Op
			if o.Outcome != c.outcome || o.Class != c.class {
				t.Errorf("got %s %s (%s), want %s %s", o.Outcome, o.Class, o.Error, c.outcome, c.class)
			}
			if got := w.rec.Snapshot().Ops; len(got) != 1 || got[0].ID != o.ID {
				t.Errorf("recorded %+v", got)
			}
		})
	}
}

func TestRequestsThatWereNeverSentCertainlyFailed(t *testing.T) {
	w := newWorld(t)
	l := listen(t)
	w.to = l.Addr().(*net.TCPAddr).AddrPort()
	_ = l.Close()
	if o := w.session(Options{}).Do(t.Context(), Request{}).Op; o.Outcome != history.Fail || o.Class != history.ClassRefused || o.Conn != 0 {
		t.Errorf("refused: %+v", o)
	}
	s := NewSession(Client{Dialer: dialFunc(func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() })}, w.to, w.rec, Options{Timeout: time.Millisecond})
	if o := s.Do(t.Context(), Request{}).Op; o.Outcome != history.Fail || o.Class != history.ClassDialTimeout {
		t.Errorf("no answer to SYN: %+v", o)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o := w.session(Options{}).Do(ctx, Request{}).Op; o.Outcome != history.Fail || o.Class != history.ClassCanceled {
		t.Errorf("canceled: %+v", o)
	}
}

type dialFunc func(context.Context) (net.Conn, error)

func (f dialFunc) Dial(ctx context.Context, _ string, _ netip.AddrPort) (net.Conn, error) {
	return f(ctx)
}

func TestEarlyAnswerToAnUnreadBodyIsSeen(t *testing.T) {
	w := newWorld(t)
	w.peer(func(c net.Conn) {
		b := make([]byte, 64)
		_, _ = c.Read(b)
		_, _ = io.WriteString(c, "HTTP/1.1 413 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	})
	r := w.session(Options{}).Do(t.Context(), Request{Method: "POST", Body: make([]byte, 1<<20)})
	if r.Reply == nil || r.Reply.Status != 413 || r.Op.Request.BodyLen != 1<<20 {
		t.Errorf("got %+v, %v", r.Reply, r.Err)
	}
}

func TestStreamKeepsItsRateAndLosesNoRecord(t *testing.T) {
	w := newWorld(t)
	load := New("shop", w.to, PerSecond(400), Keepalive(8), Sending(Weighted{3, Request{Host: "a"}}, Weighted{1, Request{Host: "b", Method: "POST"}}))
	s, err := Start(t.Context(), []Client{{"client/inet-1", Here{}}, {"client/inet-2", Here{}}}, w.rec, load)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Steady(t.Context(), 500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	h, err := s.Stop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hosts, clients := map[string]int{}, map[string]int{}
	for _, o := range h.Ops {
		hosts[o.Request.Host]++
		clients[string(o.Client)]++
		if o.Outcome != history.OK || o.Sent < o.Intended {
			t.Fatalf("op %+v", o)
		}
	}
	if n := len(h.Ops); n < 100 || len(h.Arrivals) != n || n != s.Total()+1 {
		t.Errorf("got %d ops, %d arrivals, %d counted; want at least 100, all equal but for the final probe", n, len(h.Arrivals), s.Total())
	}
	if hosts["a"] <= hosts["b"] || hosts["b"] == 0 || clients["client/inet-1"] == 0 || clients["client/inet-2"] == 0 {
		t.Errorf("mix: %v, %v", hosts, clients)
	}
	conns := map[uint64]bool{}
	for _, o := range h.Ops[:len(h.Ops)-1] {
		conns[o.Conn] = true
	}
	if len(conns) > 8 {
		t.Errorf("got %d connections, want at most 8", len(conns))
	}
}

func TestStopWaitsForSlowRequestsAndCutsThemOnlyWhenItMust(t *testing.T) {
	w := newWorld(t)
	slow := func(d time.Duration) *Stream {
		before := w.echo.Requests()
		s, err := Start(t.Context(), []Client{{"c", Here{}}}, w.rec, New("slow-"+d.String(), w.to, Closed(5), TakingAbout(d), Keepalive(5)))
		if err != nil {
			t.Fatal(err)
		}
		for w.echo.Requests() < before+5 {
			runtime.Gosched()
		}
		return s
	}
	h, err := slow(300 * time.Millisecond).Stop(t.Context())
	if err != nil || len(h.Ops) != 6 {
		t.Fatalf("got %d ops, %v, want the 5 under way and the probe", len(h.Ops), err)
	}
	for _, o := range h.Ops {
		if o.Outcome != history.OK {
			t.Errorf("op %+v", o)
		}
	}
	held := slow(time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	h, err = held.Stop(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || len(h.Ops) != 5 {
		t.Fatalf("got %d ops, %v, want 5 cut ones and a deadline error", len(h.Ops), err)
	}
	for _, o := range h.Ops {
		if o.Outcome != history.Info || o.Class != history.ClassCanceled {
			t.Errorf("op %+v", o)
		}
	}
}

func TestStreamThatWasStoppedSendsNothingMore(t *testing.T) {
	w := newWorld(t)
	s, err := Start(t.Context(), []Client{{"c", Here{}}}, w.rec, New("once", w.to, Closed(2)))
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Stop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.echo.SetBehaviour(echo.Behaviour{Status: 503})
	if again, err := s.Stop(t.Context()); err != nil || len(again.Ops) != len(first.Ops) {
		t.Errorf("stopped again: got %d ops, %v, want the %d from before", len(again.Ops), err, len(first.Ops))
	}
}

func TestSteadyNoticesFailuresAndRecovery(t *testing.T) {
	w := newWorld(t)
	w.echo.SetBehaviour(echo.Behaviour{Status: 503})
	s, err := Start(t.Context(), []Client{{"c", Here{}}}, w.rec, New("x", w.to, PerSecond(200), Keepalive(4)))
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.Steady(short, 100*time.Millisecond); err == nil {
		t.Error("a load that only fails was called steady")
	}
	healed := w.rec.Now()
	w.echo.SetBehaviour(echo.Behaviour{})
	since, err := s.SteadyFrom(t.Context(), healed, 100*time.Millisecond)
	if err != nil || since < healed || since > healed+5*time.Second {
		t.Errorf("got %s, %v, want soon after %s", since, err, healed)
	}
	w.echo.SetBehaviour(echo.Behaviour{Reset: echo.ResetHead})
	if _, err := s.Stop(t.Context()); err == nil {
		t.Error("the final probe failed, and Stop did not say so")
	}
}

func TestLoadsThatMakeNoSenseAreRefused(t *testing.T) {
	w := newWorld(t)
	cs := []Client{{"c", Here{}}}
	for name, l := range map[string]Load{
		"no pace":         {To: w.to},
		"two paces":       {To: w.to, Rate: 1, Workers: 1},
		"no address":      {Rate: 1},
		"beyond limit":    {To: w.to, Rate: 1e9},
		"negative weight": {To: w.to, Rate: 1, Mix: []Weighted{{Weight: -1}}},
	} {
		if s, err := Start(t.Context(), cs, w.rec, l); err == nil {
			_, _ = s.Stop(t.Context())
			t.Errorf("%s: started", name)
		}
	}
	if _, err := Start(t.Context(), nil, w.rec, Load{To: w.to, Rate: 1}); err == nil {
		t.Error("no clients: started")
	}
}

func TestSteadyWaitsForRequestsThatHang(t *testing.T) {
	w := newWorld(t)
	load := New("x", w.to, PerSecond(200), Sending(
		Weighted{Weight: 9}, Weighted{Weight: 1, Request: Request{Target: "/hangs"}.With(echo.HeaderHang, "1")}))
	load.Timeout = 2 * time.Second
	s, err := Start(t.Context(), []Client{{"c", Here{}}}, w.rec, load)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Second) // before the first of them has failed
	defer cancel()
	if err := s.Steady(short, 200*time.Millisecond); err == nil {
		t.Error("a load with requests that hang was called steady")
	}
	if _, err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
