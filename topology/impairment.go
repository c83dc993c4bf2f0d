package topology

import "time"

// An Impairment is what a cable does to the frames of one direction. The zero
// value carries every frame at once and whole. Shares are of 1; which frames they
// hit follows from the seed of the lab, the name of the cable and the direction.
type Impairment struct {
	// Time that a frame needs, one way.
	Delay time.Duration `json:"delay,omitempty" yaml:"delay" min:"0s" max:"10s" doc:"one way, 20ms"`
	// Spread of the delay, uniform to both sides of it. Jitter alone never
	// reorders frames.
	Jitter time.Duration `json:"jitter,omitempty" yaml:"jitter" min:"0s" max:"10s" doc:"spread of the delay to both sides"`
	// Share of frames that are lost.
	Loss float64 `json:"loss,omitempty" yaml:"loss" min:"0" max:"1" doc:"share of frames lost, 0 to 1"`
	// Share of frames that arrive twice.
	Duplicate float64 `json:"duplicate,omitempty" yaml:"duplicate" min:"0" max:"1" doc:"share of frames that arrive twice"`
	// Share of frames in which one bit is flipped.
	Corrupt float64 `json:"corrupt,omitempty" yaml:"corrupt" min:"0" max:"1" doc:"share of frames with one bit flipped"`
	// Share of frames that overtake those sent before them: they skip the delay.
	Reorder float64 `json:"reorder,omitempty" yaml:"reorder" min:"0" max:"1" doc:"share of frames that skip the delay and overtake others"`
	// Bits a second, counted in bytes of the Ethernet frame; 0: unlimited.
	Rate int64 `json:"rate,omitempty" yaml:"rate" min:"0" max:"100000000000" doc:"bits a second"`
	// Longest IP packet in bytes that the cable carries; longer ones vanish
	// silently, as at a hop whose MTU is smaller and whose ICMP is filtered.
	// A large segment counts by the packets that it would be cut into. 0: any.
	MaxPacket int `json:"max_packet,omitempty" yaml:"max-packet" min:"0" max:"65535" doc:"bytes; longer IP packets vanish: an MTU black hole"`
	// Deeds at fixed places, beside the shares.
	At []Position `json:"at,omitempty" yaml:"at" max:"64" doc:"deeds at fixed places, as JSON"`
}

// IsZero says whether the impairment does nothing.
func (i Impairment) IsZero() bool {
	at := i.At
	i.At = nil
	return len(at) == 0 && i.equal(Impairment{})
}

// equal compares all but At.
func (i Impairment) equal(j Impairment) bool {
	return i.Delay == j.Delay && i.Jitter == j.Jitter && i.Loss == j.Loss && i.Duplicate == j.Duplicate &&
		i.Corrupt == j.Corrupt && i.Reorder == j.Reorder && i.Rate == j.Rate && i.MaxPacket == j.MaxPacket
}

// A Position names one place in what a cable carries and what happens there. Each
// flow that the pattern matches is counted by itself, from the moment at which the
// impairment is set.
type Position struct {
	// Frames that count; without it all of the direction, as one flow.
	Flow *Flow `json:"flow,omitempty" yaml:"flow"`
	// The deed is done to this frame of the flow, counted from 1. Exactly one
	// of Frame and Bytes is set.
	Frame uint64 `json:"frame,omitempty" yaml:"frame"`
	// The deed is done from the first frame on that takes the flow beyond so
	// many bytes of TCP or UDP payload, and to all later ones.
	Bytes uint64 `json:"bytes,omitempty" yaml:"bytes"`
	// "drop", "duplicate", "corrupt" or "delay"; "drop" with Bytes cuts the flow.
	Do string `json:"do" yaml:"do" required:"true" enum:"drop,duplicate,corrupt,delay"`
	// How much longer the frame takes, for "delay".
	By time.Duration `json:"by,omitempty" yaml:"by" min:"0s" max:"1m"`
}

// A Flow is a pattern over the addresses of an IPv4 packet; what is left out
// matches anything. Inside a tunnel it is the outer packet that counts.
type Flow struct {
	Proto string `json:"proto,omitempty" yaml:"proto" enum:"tcp,udp,icmp"`
	// Address, or address:port, or :port.
	Src string `json:"src,omitempty" yaml:"src"`
	Dst string `json:"dst,omitempty" yaml:"dst"`
}
