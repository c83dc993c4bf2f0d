//go:build netns

package wire_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

// requireNetem is sandbox.Require for what the sandbox cannot probe.
func requireNetem(t *testing.T) {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS)
	sandbox.Need(t, "netem", link.Probe(link.FeatureNetem))
}

func TestNetemDelaysLosesAndIsCut(t *testing.T) {
	requireNetem(t)
	o := wire.Options{Name: "a--b", Medium: wire.MediumNetem}
	a, b, w := cable(t, o)
	echo(t, b, "10.0.0.0:7")
	c := dial(t, a, "udp4", "10.0.0.0:7")
	if _, ok := trip(t, c, patience); !ok {
		t.Fatal("no answer over a wire without impairment")
	}
	delayBoth(t, w, 25*time.Millisecond)
	if rtt, ok := trip(t, c, patience); !ok || rtt < 50*time.Millisecond {
		t.Errorf("round trip with 25ms one way: %v (%t)", rtt, ok)
	}
	w.Cut(wire.BToA, true)
	if _, ok := trip(t, c, 200*time.Millisecond); ok || !w.IsCut(wire.BToA) {
		t.Error("an answer came through the cut direction")
	}
	if s := w.Stats(wire.BToA); s.Cut == 0 {
		t.Errorf("what the cut lost is not counted: %+v", s)
	}
	w.Cut(wire.BToA, false)
	if _, ok := trip(t, c, patience); !ok {
		t.Error("no answer after the wire was mended")
	}
	if err := w.Impair(wire.AToB, topology.Impairment{MaxPacket: 1000}); !errors.Is(err, wire.ErrBeyondNetem) {
		t.Errorf("max-packet over netem: got %v, want %v", err, wire.ErrBeyondNetem)
	}
}

func TestNetemThatIsMissingIsAnErrorThatLeavesNothing(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS)
	if link.Probe(link.FeatureNetem) == nil {
		t.Skip("this kernel has netem")
	}
	a, b := stack(t), stack(t)
	_, err := wire.Lay(link.End{Stack: a, Name: "w0"}, link.End{Stack: b, Name: "w0"}, wire.Options{Name: "a--b", Medium: wire.MediumNetem})
	if err == nil || !strings.Contains(err.Error(), "netem on w0") {
		t.Errorf("got %v, want an error that names netem and the interface", err)
	}
	for _, s := range []*link.Stack{a, b} {
		names, err := s.Interfaces()
		must(t, err)
		if len(names) != 1 {
			t.Errorf("interfaces that remain: %v, want lo alone", names)
		}
	}
}
