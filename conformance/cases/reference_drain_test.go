package cases

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"
)

// process is what the reference knows of its own end.
type process struct {
	rude atomic.Bool // it drains, and requests on old connections are cut
	curt atomic.Bool // it drains, and bodies are cut

	cutters sync.WaitGroup
	cuts    sync.WaitGroup // of connections, by an edit
	since   atomic.Int64   // unix nanoseconds of the last restart or reload; 0: none

	replaced atomic.Int64 // and of the last replacement
}

// drainWithin is how long the reference may take to drain.
const drainWithin = 3 * time.Second

// door is what stands before the handler of the data plane.
func (g *reference) door(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		young := time.Since(time.Unix(0, g.since.Load())) < 100*time.Millisecond
		switch {
		case g.rude.Load() && r.URL.Path != "/slow":
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_ = c.Close()
			}
			return
		case young && (g.is("serves before it knows") || g.is("begins with nothing at a reload")):
			http.NotFound(w, r)
			return
		case g.is("a drain cuts bodies") && (r.URL.Path == "/half" || r.URL.Path == "/upload"):
			ctx, rc := r.Context(), http.NewResponseController(w)
			g.cutters.Go(func() { g.cutBody(ctx, rc) })
		}
		g.aged(w, r)
		h.ServeHTTP(w, r)
	})
}

// drain ends the data plane when its requests have ended.
func (g *reference) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	switch {
	case g.is("a drain cuts streams"):
		defer func() { _, _ = g.http2.Load().Close(), g.secure.Close() }()
	case g.is("a drain keeps clients of HTTP/2"):
	default:
		defer g.drainTLS(ctx)
	}
	switch {
	case g.is("a drain cuts requests"):
		g.data.CloseClientConnections()
		return g.data.Config.Close()
	case g.is("a drain cuts bodies"):
		g.curt.Store(true)
		g.cutters.Wait() // before anybody can see that the drain has begun
	case g.is("a drain cuts kept connections"), g.is("a drain accepts and cuts"):
		return g.drainRudely(ctx)
	case g.is("a drain waits for idle clients"):
		<-ctx.Done()
		return errors.Join(fmt.Errorf("not within %s", drainWithin), g.data.Config.Close())
	}
	return g.data.Config.Shutdown(ctx)
}

// drainRudely leaves idle connections open, and the listener perhaps, and cuts
// whatever comes over them.
func (g *reference) drainRudely(ctx context.Context) error {
	g.rude.Store(true)
	defer g.rude.Store(false)
	if g.is("a drain cuts kept connections") {
		_ = g.data.Listener.Close()
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
	return g.data.Config.Shutdown(ctx)
}

// cutBody ends a request when a drain begins.
func (g *reference) cutBody(ctx context.Context, rc *http.ResponseController) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !g.curt.Load() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	_ = errors.Join(rc.SetReadDeadline(time.Unix(1, 0)), rc.SetWriteDeadline(time.Unix(1, 0)))
}

// drainTLS ends what speaks TLS when its requests have ended.
func (g *reference) drainTLS(ctx context.Context) {
	_ = g.http2.Load().Shutdown(ctx) // who does not end it has an answer that is late
	_ = g.secure.Shutdown(ctx)
}

// restart serves at the old addresses again.
func (g *reference) restart() error {
	l, err := net.Listen("tcp", g.data.Listener.Addr().String())
	if err != nil {
		return err
	}
	if secure, err := net.Listen("tcp", g.tls.String()); err == nil { // else it was not drained
		g.serveTLS(secure)
	}
	g.since.Store(time.Now().UnixNano())
	s := httptest.NewUnstartedServer(g.data.Config.Handler)
	_ = s.Listener.Close()
	s.Listener = l
	s.Config.Protocols = g.data.Config.Protocols
	s.Start()
	g.data = s
	return nil
}

// reload does nothing, as it should where there is nothing to read again.
func (g *reference) reload() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.since.Store(time.Now().UnixNano())
	switch {
	case g.is("drops at a reload"):
		g.swapped = time.Now()
	case g.is("a reload cuts requests"):
		go g.data.CloseClientConnections()
	}
}
