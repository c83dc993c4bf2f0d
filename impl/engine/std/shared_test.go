package std

import (
	"net"
	"testing"

	"github.com/unilb/unilb/impl/engine/enginetest"
)

func TestTheLibraryIsAnEngine(t *testing.T) {
	enginetest.Run(t, func(t *testing.T, o enginetest.Options) (enginetest.Engine, string) {
		t.Helper()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		e := New(Options{Handler: o.Handler, MaxBody: o.MaxBody, MaxConns: o.MaxConns, Server: o.Server, Draining: o.Draining, Roots: o.Roots, TLS: o.TLS, HeadTimeout: o.HeadTimeout})
		return e, enginetest.Serve(t, e, ln, o.TLS != nil)
	})
}
