package std

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/engine/enginetest"
)

// closedBefore is a listener of which the server learns when it closes it that its
// owner has done so.
type closedBefore struct{ net.Listener }

func (l closedBefore) Close() error {
	_ = l.Listener.Close() // what is said of it is the subject
	return &net.OpError{Op: "close", Net: "tcp", Err: net.ErrClosed}
}

func TestDrainWaitsForTunnelsAlthoughItsListenerIsClosedAlready(t *testing.T) {
	up := enginetest.Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		c, brw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(c, brw)
	})
	e := New(Options{Handler: enginetest.NewHandler(up)})
	ln := closedBefore{listen(t)}
	served := make(chan error, 1)
	go func() { served <- e.Serve(ln) }()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	br := bufio.NewReader(c)
	if resp, err := http.ReadResponse(br, nil); err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %+v %v", resp, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- e.Shutdown(ctx) }()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	fmt.Fprint(c, "late") // the server has closed its listener and knows of no connection
	if b, err := io.ReadAll(io.LimitReader(br, 4)); err != nil || string(b) != "late" || e.InFlight() != 1 {
		t.Errorf("tunnel in a drain: %q %v, %d in flight", b, err, e.InFlight())
	}
	c.Close()
	if err := <-done; err != nil || e.InFlight() != 0 {
		t.Errorf("shutdown: %v, %d in flight; want it to wait for the tunnel", err, e.InFlight())
	}
}
