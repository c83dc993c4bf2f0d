package cases

import (
	"context"
	"net/http"
	"time"
)

// replace does what clients see of a new process: those of old connections are sent
// away, and new ones are served.
func (g *reference) replace(ctx context.Context) error {
	switch {
	case g.is("a restart refuses for a moment"):
		if err := g.data.Config.Close(); err != nil {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
		return g.restart()
	case g.is("a restart cuts requests"):
		g.data.CloseClientConnections()
		return nil
	case g.is("a restart cuts kept connections"):
		g.rude.Store(true)
		time.AfterFunc(time.Second, func() { g.rude.Store(false) })
		return nil
	case g.is("a restart keeps old clients"):
		return nil
	}
	g.since.Store(time.Now().UnixNano())
	g.replaced.Store(time.Now().UnixNano())
	old := g.http2.Load()
	g.startHTTP2()
	if g.is("a restart cuts streams") {
		return old.Close()
	}
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	go func() {
		defer cancel()
		_ = old.Shutdown(bound) // who does not end it has an answer that is late
	}()
	return nil
}

// aged sends clients away whose connection is older than the last replacement.
func (g *reference) aged(w http.ResponseWriter, r *http.Request) {
	if c, ok := r.Context().Value(overheardKey{}).(*overheard); ok && c.born.UnixNano() < g.replaced.Load() {
		w.Header().Set("Connection", "close")
	}
}
