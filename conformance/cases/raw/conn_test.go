package raw

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// deaf is a place from which no connection comes about.
type deaf struct {
	spec.Env
	err error
}

func (d deaf) Clients() []traffic.Client {
	return []traffic.Client{{Ref: "client/inet-1", Dialer: d}}
}
func (deaf) Recorder() *history.Recorder { return history.NewRecorder(history.NewClock()) }
func (d deaf) Dial(context.Context, string, netip.AddrPort) (net.Conn, error) {
	return nil, d.err
}

func TestOnlyThePeersRefusalIsTheGatewaysFailure(t *testing.T) {
	call := func(name string, e error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError(name, e)}
	}
	for name, c := range map[string]struct {
		err    error
		broken bool
	}{
		"refused":            {call("connect", unix.ECONNREFUSED), false},
		"reset":              {call("connect", unix.ECONNRESET), false},
		"no way there":       {call("connect", unix.EHOSTUNREACH), false},
		"silence":            {call("connect", unix.ETIMEDOUT), false},
		"time over":          {context.DeadlineExceeded, false},
		"no descriptor":      {call("socket", unix.EMFILE), true},
		"none in the system": {call("socket", unix.ENFILE), true},
		"no port":            {call("connect", unix.EADDRNOTAVAIL), true},
		"no memory":          {call("socket", unix.ENOBUFS), true},
		"no lab":             {errors.New("the lab is down"), true},
		"trouble":            {&spec.Trouble{Err: unix.ECONNREFUSED}, true},
		"interrupted":        {context.Canceled, true},
	} {
		x := spec.NewT(deaf{err: c.err}, spec.Vars{ID: "x"})
		var wg sync.WaitGroup
		wg.Go(func() { Dial(t.Context(), x, netip.MustParseAddrPort("192.0.2.1:80")) }) // it ends its goroutine
		wg.Wait()
		if r := x.Close(); r.Broken != c.broken || r.Failed == c.broken {
			t.Errorf("%s: got broken %v, failed %v, want broken %v and failed %v", name, r.Broken, r.Failed, c.broken, !c.broken)
		}
	}
}
