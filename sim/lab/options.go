package lab

import (
	"log/slog"
	"net"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// Options say how a lab is built. BinDir is required when the plan has processes.
type Options struct {
	// BinDir holds the binaries that the plan names.
	BinDir string
	// Dir receives logs/ and ledger.ndjson; "": a directory that vanishes with the
	// sandbox.
	Dir string
	// Recorder receives arrivals, faults and events and has the run's clock; nil:
	// one that starts now.
	Recorder *history.Recorder
	// Gateway says how the gateway under test is started; nil: L7GW.
	Gateway GatewayFunc
	// AdminArgs are further arguments of every l7admin of the plan, behind those that
	// the plan has.
	AdminArgs []string
	// Backend serves the echo ports of nodes until the listener fails; nil: an
	// echo.Server for each node (see Node.Echo). After a power loss it is called
	// again with a new listener.
	Backend func(topology.Node, net.Listener)
	// Progress is told each step of Up when it has ended; calls do not overlap.
	Progress func(Step)
	// Log receives what goes wrong while the lab runs; nil: discarded.
	Log *slog.Logger
	// ReadyWithin bounds each stage of the start; 0: DefaultReadyWithin.
	ReadyWithin time.Duration
	// CaptureBytes is how much of the newest traffic of each wire is kept in
	// memory for Capture; 0: capture.DefaultRingBytes; negative: nothing, for labs with
	// very many wires.
	CaptureBytes int
}

// DefaultReadyWithin is how long the processes of one stage may take together. It
// is generous: a busy machine is no reason for a failure.
const DefaultReadyWithin = 60 * time.Second

// A Step is one part of bringing a lab up.
type Step struct {
	Name string        `json:"name"` // "network", "stage 0", "spread", "tenants"
	Text string        `json:"text"`
	Took time.Duration `json:"took"`
}

func (o Options) filled() Options {
	if o.Recorder == nil {
		o.Recorder = history.NewRecorder(history.NewClock())
	}
	if o.Gateway == nil {
		o.Gateway = L7GW
	}
	if o.Progress == nil {
		o.Progress = func(Step) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ReadyWithin == 0 {
		o.ReadyWithin = DefaultReadyWithin
	}
	return o
}
