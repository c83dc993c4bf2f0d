package loop

import (
	"context"
	"testing"

	"github.com/unilb/unilb/impl/engine/enginetest"
)

// start serves a handler, with buffers that are overwritten as soon as they may be.
func start(t *testing.T, o enginetest.Options) (enginetest.Engine, string) {
	t.Helper()
	return startLoops(t, Options{Handler: o.Handler, MaxBody: o.MaxBody, MaxConns: o.MaxConns, Server: o.Server, Draining: o.Draining})
}

func startLoops(t *testing.T, o Options) (*Engine, string) {
	t.Helper()
	o.Poison = true
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := e.Listen(context.Background(), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	return e, enginetest.Serve(t, e, ln)
}

func TestLoopIsAnEngine(t *testing.T) { enginetest.Run(t, start) }
