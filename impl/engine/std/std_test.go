package std

import (
	"net"
	"testing"

	"github.com/unilb/unilb/impl/engine/enginetest"
)

// start serves the handler and returns the engine and its address.
func start(t *testing.T, o Options) (*Engine, string) {
	t.Helper()
	e := New(o)
	return e, enginetest.Serve(t, e, listen(t), o.TLS != nil)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}
