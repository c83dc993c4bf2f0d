package act

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// A place is one machine with one process; what nobody asks of it is missing.
type place struct {
	fault.Target
	machine
}

type machine struct {
	fault.Machine
	kill func()
	dead bool
}

func (p *place) Machines(topology.Selector) []fault.Machine { return []fault.Machine{&p.machine} }
func (m *machine) Ref() topology.Ref                        { return "idc/bj/blue-1" }
func (m *machine) ProcessNames() []string                   { return []string{"server"} }
func (m *machine) Running(string) bool                      { return !m.dead }
func (m *machine) Frozen(string) bool                       { return false }
func (m *machine) Kill(string) error                        { m.dead = true; m.kill(); return nil }

// broken is a load whose backend answers until a fault is injected, and the fault.
func broken(t *testing.T) (*Region, *echo.Server, *traffic.Stream, *fault.Active) {
	t.Helper()
	rec := history.NewRecorder(history.NewClock())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New(echo.Options{Ref: "idc/bj/blue-1", Sink: rec})
	go func() { _ = e.Serve(l) }()
	t.Cleanup(func() { _ = e.Close() })
	load := traffic.Load{Name: "x", To: l.Addr().(*net.TCPAddr).AddrPort(), Rate: 100, NoFinalProbe: true}
	s, err := traffic.Start(t.Context(), []traffic.Client{{Ref: "client/inet-1", Dialer: traffic.Here{}}}, rec, load)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = s.Stop(context.Background()) })
	if err := Carried(t.Context(), s, 10); err != nil {
		t.Fatal(err)
	}
	ledger, err := fault.OpenLedger(filepath.Join(t.TempDir(), "ledger.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ledger.Close() })
	p := &place{machine: machine{kill: func() { e.SetBehaviour(echo.Behaviour{Reset: echo.ResetHead}) }}}
	a, err := fault.Inject(t.Context(), p, ledger, rec, "f1", "crash", &fault.Kill{On: "idc/bj/blue-1", Process: "server"})
	if err != nil {
		t.Fatal(err)
	}
	return &Region{Recorder: rec}, e, s, a
}

func TestRecoveryLastsFromTheFaultToTheFirstSteadySecond(t *testing.T) {
	r, e, s, a := broken(t)
	if err := Carried(t.Context(), s, s.Total()+10); err != nil {
		t.Fatal(err)
	}
	mended := r.Recorder.Now()
	e.SetBehaviour(echo.Behaviour{})
	w, err := r.Recovery(t.Context(), s, a, "cost")
	if err != nil {
		t.Fatal(err)
	}
	if w.From != a.Window().From || w.To < mended || w.To > r.Recorder.Now()-time.Second {
		t.Errorf("got %s to %s; the fault began at %s and was mended at %s", w.From, w.To, a.Window().From, mended)
	}
	if spans := r.Recorder.Snapshot().Spans; len(spans) != 1 || spans[0].Name != "cost" || spans[0].Window != w {
		t.Errorf("spans: got %+v, want cost, %+v", spans, w)
	}
}

func TestRecoveryThatDoesNotComeEndsWithTheWait(t *testing.T) {
	r, _, s, a := broken(t)
	late := errors.New("not within 300ms")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, late)
	defer cancel()
	begun := r.Recorder.Now()
	w, err := r.Recovery(ctx, s, a, "cost")
	if !errors.Is(err, late) || w.To < begun+300*time.Millisecond {
		t.Errorf("got %+v, %v; want an error, and a window that ends after %s", w, err, begun+300*time.Millisecond)
	}
	if spans := r.Recorder.Snapshot().Spans; len(spans) != 1 || spans[0].Window != w {
		t.Errorf("spans: got %+v, want one, %+v", spans, w)
	}
}

func TestStreamsOfWaitsAreNoLoad(t *testing.T) {
	for stream, want := range map[string]bool{"probe/serves-shop": true, "probe/takes-shop": true, "shop": false, "probe": false} {
		if got := IsProbe(stream); got != want {
			t.Errorf("%q: got %t, want %t", stream, got, want)
		}
	}
}
