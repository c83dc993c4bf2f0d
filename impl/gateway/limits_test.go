package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/proxy"
)

func TestLimitsOfClientsReachBothEngines(t *testing.T) {
	t.Parallel()
	const soon, at = 200 * time.Millisecond, "GET / HTTP/1.1\r\nHost: h\r\n"
	for _, engine := range []string{EngineStd, EngineLoop} {
		addr := serveLimited(t, engine, Limits{MaxHead: 1 << 10, HeadTimeout: soon, IdleTimeout: soon})
		for _, tc := range []struct{ name, send, want string }{
			{"a head that is too long", at + "X-Long: " + strings.Repeat("x", 8<<10) + "\r\n\r\n", "HTTP/1.1 431"},
			{"a head that does not come", at, ""},
			{"an idle connection", at + "\r\n", "HTTP/1.1 404"},
		} {
			c := dialBounded(t, addr)
			fmt.Fprint(c, tc.send)
			got, err := io.ReadAll(c) // the gateway ends it, by a reset where it has read not all
			if errors.Is(err, os.ErrDeadlineExceeded) || !strings.HasPrefix(string(got), tc.want) {
				t.Errorf("%s: %s: got %.40q %v, want %q and the end", engine, tc.name, got, err, tc.want)
			}
		}
		addr = serveLimited(t, engine, Limits{MaxConns: 1})
		c := dialBounded(t, addr)
		fmt.Fprint(c, at+"\r\n")
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Errorf("%s: the one connection that may be is not served: %v", engine, err)
		}
		if _, err := dialBounded(t, addr).Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: a connection more than may be was not ended: %v", engine, err)
		}
	}
}

// serveLimited serves until the test ends, and returns where.
func serveLimited(t *testing.T, engine string, l Limits) string {
	t.Helper()
	e, err := newEngine(Options{Engine: engine, Limits: l}, proxy.New(proxy.Options{}), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := e.Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = e.Serve(ln) }() // until it is closed
	t.Cleanup(func() {
		_ = ln.Close()
		_ = e.Shutdown(context.Background()) // nothing is under way
	})
	return ln.Addr().String()
}

func dialBounded(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // nothing of it is needed any more
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}
