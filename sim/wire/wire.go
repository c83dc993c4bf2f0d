package wire

import (
	"fmt"

	"github.com/unilb/unilb/sim/capture"
	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/topology"
)

// DefaultQueue is the most bytes under way in one direction of a wire.
const DefaultQueue = 16 << 20

// Direction names one direction of a wire.
type Direction int

// The directions of a wire.
const (
	AToB Direction = iota
	BToA
)

func (d Direction) String() string {
	if d == AToB {
		return "a-to-b"
	}
	return "b-to-a"
}

// A Medium is what a wire is made of.
type Medium string

// The media. The zero value is TAP where TAP devices can be made; else netem,
// where the kernel has it and nothing that is asked for at first is beyond it.
const (
	MediumAuto  Medium = ""
	MediumTAP   Medium = "tap"
	MediumNetem Medium = "netem"
)

// Options are the properties of a wire at first. The zero value is a wire that
// carries every frame at once and whole.
type Options struct {
	// Seed and Name decide, with the direction, which frames are hit. Wires of
	// one lab have different names.
	Seed uint64
	Name string
	// AB and BA are what happens to frames of each direction.
	AB, BA topology.Impairment
	// Queue is the most bytes under way in one direction; 0: DefaultQueue. It
	// has no meaning for netem, which carries 10000 frames.
	Queue int
	// Medium says what to build; the zero value is the best that there is.
	Medium Medium
	// Ring receives each frame when it enters the wire, with what becomes of it
	// (netem: when it passes end a, without); nil: none. End a is the first end.
	Ring *capture.Ring
}

// A Wire joins two nodes. All methods may be called at any time; after Close they
// change nothing.
type Wire interface {
	// Check says why Impair would refuse the impairment; nil: it would not.
	Check(topology.Impairment) error
	// Impair changes what happens to later frames of a direction. Frames under
	// way keep their due time. Positions count anew from here, and so do frames;
	// but the impairment that is in force already changes nothing. The error says
	// what is wrong with the impairment, or what the medium cannot do.
	Impair(Direction, topology.Impairment) error
	// Impairment is what is in force.
	Impairment(Direction) topology.Impairment
	// Cut makes a direction lose every frame, also those under way, without
	// either end noticing; on false it carries again.
	Cut(Direction, bool)
	// IsCut reports whether a direction is cut.
	IsCut(Direction) bool
	// Stats returns the counters of a direction since the wire was laid.
	Stats(Direction) Stats
	// Medium is what the wire is made of.
	Medium() Medium
	// Close removes the wire and its interfaces. Later calls do nothing.
	Close() error
}

// Stats count what one direction did since the wire was laid. Each frame that
// enters is delivered, or lost for one of the reasons below, or still under way.
// A segment that crosses uncut is one frame.
type Stats struct {
	Entered    uint64 `json:"entered"`              // came in, of any kind
	Frames     uint64 `json:"frames"`               // delivered, repetitions too
	Bytes      uint64 `json:"bytes"`                // of the Ethernet frames delivered
	Lost       uint64 `json:"lost,omitempty"`       // by Impairment.Loss
	Duplicated uint64 `json:"duplicated,omitempty"` // by Impairment.Duplicate
	Corrupted  uint64 `json:"corrupted,omitempty"`  // by Impairment.Corrupt
	Reordered  uint64 `json:"reordered,omitempty"`  // by Impairment.Reorder
	TooLong    uint64 `json:"too_long,omitempty"`   // lost: longer than Impairment.MaxPacket
	Positional uint64 `json:"positional,omitempty"` // frames to which Impairment.At did something
	Dropped    uint64 `json:"dropped,omitempty"`    // lost by Impairment.At, a part of Positional
	Untracked  uint64 `json:"untracked,omitempty"`  // not counted for Impairment.At: more than MaxFlows flows
	Full       uint64 `json:"full,omitempty"`       // lost: the queue was full
	Cut        uint64 `json:"cut,omitempty"`        // lost: the wire was cut
	Down       uint64 `json:"down,omitempty"`       // lost: the receiving interface was down
	Overrun    uint64 `json:"overrun,omitempty"`    // lost before they entered: the sender was faster than this process
}

// Lay makes the interfaces of both ends, sets them up and starts carrying frames.
// Nothing remains when it fails.
func Lay(a, b link.End, o Options) (Wire, error) {
	if o.Queue <= 0 {
		o.Queue = DefaultQueue
	}
	switch o.Medium {
	case MediumAuto:
		return layAuto(a, b, o)
	case MediumTAP:
		return layCable(a, b, o)
	case MediumNetem:
		return layNetem(a, b, o)
	default:
		return nil, fmt.Errorf("lay wire %s: unknown medium %q", o.Name, o.Medium)
	}
}
