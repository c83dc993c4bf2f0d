package std

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

func TestAnswersThatTheEndOfTheEngineCutsSaySo(t *testing.T) {
	up := enginetest.Backend(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	h := enginetest.NewHandler(up)
	e := New(Options{Handler: h})
	ln := listen(t)
	go func() { _ = e.Serve(ln) }() // which ends with the engine
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if _, err := io.ReadFull(c, make([]byte, len("HTTP/1.1 200"))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Shutdown(ctx); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "1 requests on 1 connections: ") {
		t.Errorf("got %v, want what was cut and the error of ctx", err)
	}
	if r := <-h.Done; !r.Cut || r.CutReason != exchange.CutShutdown {
		t.Errorf("record %+v (%s), want cut, %s", r, r.CutReason, exchange.CutShutdown)
	}
}
