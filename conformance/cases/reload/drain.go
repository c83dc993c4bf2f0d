package reload

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

const (
	// doorBound is how long a draining gateway is watched for refusing connections.
	// One that does not refuse them does no wrong, if it ends.
	doorBound = 5 * time.Second
	// restartBound is how long a gateway may take to end and to start again.
	restartBound = 90 * time.Second
	pace         = 20 * time.Millisecond
)

// A draining is a gateway that was told to finish its work and end.
type draining struct {
	spec.Gateway
	ended   chan struct{} // closed when it has
	err     error         // why it did not, valid then
	again   bool          // it was started again
	release []func()      // let go what the case holds in flight
}

// drained is the gateway that cases drain: the last, for the first is asked more
// often by others.
func drained(t *spec.T) spec.Gateway {
	gws := t.Env().Gateways()
	return gws[len(gws)-1]
}

// drain begins a drain. The caller defers restart at once: a case must not leave
// the place without a gateway, however it ends. release lets go what the case
// holds in flight, so that the drain can end then.
func drain(ctx context.Context, t *spec.T, gw spec.Gateway, release ...func()) *draining {
	d := &draining{Gateway: gw, ended: make(chan struct{}), release: release}
	t.Step("%s drains", gw.Ref)
	go func() {
		defer close(d.ended)
		begun := time.Now()
		d.err = t.Env().Drain(ctx, gw.Ref)
		t.Logf("%s: drained in %s", gw.Ref, time.Since(begun).Round(time.Millisecond))
	}()
	return d
}

// over says whether the gateway has ended.
func (d *draining) over() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// shut waits until the gateway refuses new connections, or for doorBound: then
// its drain has begun. It judges nothing.
func (d *draining) shut(ctx context.Context, t *spec.T) {
	ctx, cancel := context.WithTimeout(ctx, doorBound)
	defer cancel()
	s := ask.Session(t, d.Data, traffic.Options{})
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for s.Do(ctx, traffic.Request{Host: t.Host(), Target: "/door"}).Op.Conn != 0 {
		select {
		case <-tick.C:
		case <-d.ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

// finish waits for the end of the drain, which must come in time, and starts the
// gateway again.
func (d *draining) finish(t *spec.T) {
	<-d.ended // Drain has a bound
	t.Check(d.err == nil, "%v", d.err)
	d.restart(t)
}

// restart starts the gateway again if that has not been done. The case may be
// over: it takes no context.
func (d *draining) restart(t *spec.T) {
	for _, f := range d.release {
		f()
	}
	<-d.ended
	if d.again {
		return
	}
	d.again = true
	ctx, cancel := context.WithTimeout(context.Background(), restartBound)
	defer cancel()
	err := t.Env().Restart(ctx, d.Ref)
	t.Check(err == nil, "%s does not start again: %v", d.Ref, err)
}
