package fault

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/topology"
)

// Bounds of a rate, in bits a second: below, a single packet takes seconds; above,
// no link of a lab is as fast.
const (
	minRate = 8_000
	maxRate = 100_000_000_000
)

// RateLimit makes links slow: at most so many bits a second, counted in Ethernet
// frames. On a kernel link it sits on the way out of the sender, with a queue of
// 50 ms before frames are lost; a wire does it itself, with the queue that it has.
type RateLimit struct {
	Link      topology.LinkSelector `json:"link" arg:"1" need:"true" doc:"links, as node--node or by a node that they end in"`
	Rate      int64                 `json:"rate" arg:"2" need:"true" doc:"bits a second, 8000 at least"`
	Direction Direction             `json:"direction,omitempty" arg:"3" doc:"a-to-b or b-to-a, a being the side named first; both ways without it"`
	// Was is the rate that each direction of a wire had before.
	Was map[string]int64 `json:"was,omitempty" yaml:"-"`
}

// Spelling implements Spelled.
func (f RateLimit) Spelling() error {
	if f.Rate < minRate || f.Rate > maxRate {
		return fmt.Errorf("rate %d: want %d to %d bits a second", f.Rate, minRate, maxRate)
	}
	if err := checkDirection(f.Direction); err != nil {
		return err
	}
	return f.Link.Check()
}

// Kind implements Fault.
func (RateLimit) Kind() string { return "rate-limit" }

func (f RateLimit) String() string {
	return fmt.Sprintf("%s carries at most %s", over(f.Link, f.Direction), bitrate(f.Rate))
}

// bitrate writes a rate for people.
func bitrate(bits int64) string {
	for _, unit := range []struct {
		of   int64
		name string
	}{{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}} {
		if bits >= unit.of {
			return fmt.Sprintf("%.4g %s", float64(bits)/float64(unit.of), unit.name)
		}
	}
	return fmt.Sprintf("%d bit/s", bits)
}

// Touches implements Fault.
func (f RateLimit) Touches(t Target) []topology.Ref { return ends(t, f.Link) }

// Claims implements Claimer.
func (f RateLimit) Claims(t Target) []Claim {
	var out []Claim
	for _, l := range lanes(t, f.Link, f.Direction) {
		out = append(out, laneClaim(l))
	}
	return out
}

// Survey implements Surveyor.
func (RateLimit) Survey(t Target) error {
	for _, l := range t.Links("**") {
		if a, _ := l.Ends(); l.Cable() == nil {
			if err := a.CanLimit(); err != nil {
				return &Unavailable{Fault: "rate-limit", Why: err.Error(), Machine: true}
			}
		}
	}
	return nil
}

// Check implements Fault.
func (f RateLimit) Check(t Target) error {
	if err := checkLinks(t, f, f.Link); err != nil {
		return err
	}
	for _, l := range lanes(t, f.Link, f.Direction) {
		if l.link.Cable() != nil {
			continue
		}
		if err := l.from.CanLimit(); err != nil {
			return &Unavailable{Fault: f.String(), Why: err.Error(), Machine: true}
		}
		switch rate, err := l.from.Rate(); {
		case err != nil:
			return unavailable(f, "%v", err)
		case rate != 0:
			return unavailable(f, "%s of %s is limited to %s already", l.from.Interface(), l.from.Ref(), bitrate(rate))
		}
	}
	return nil
}

// Resolve implements Resolver: it notes how fast the wires are now.
func (f RateLimit) Resolve(_ context.Context, t Target) (Fault, error) {
	f.Was = map[string]int64{}
	for _, l := range lanes(t, f.Link, f.Direction) {
		if c := l.link.Cable(); c != nil {
			f.Was[l.name()] = c.Impairment(l.way).Rate
		}
	}
	return f, nil
}

// Apply implements Fault.
func (f RateLimit) Apply(_ context.Context, t Target) error {
	for _, l := range lanes(t, f.Link, f.Direction) {
		if err := limit(l, f.Rate); err != nil {
			return err
		}
	}
	return nil
}

// Revert implements Fault.
func (f RateLimit) Revert(_ context.Context, t Target) error {
	for _, l := range lanes(t, f.Link, f.Direction) {
		if err := limit(l, f.Was[l.name()]); err != nil {
			return err
		}
	}
	return nil
}

// limit sets the rate of a lane and looks whether it has it.
func limit(l lane, bits int64) error {
	if c := l.link.Cable(); c != nil {
		i := c.Impairment(l.way)
		i.Rate = bits
		return impair(l, i)
	}
	if err := l.from.SetRate(bits); err != nil {
		return err
	}
	got, err := l.from.Rate()
	// The kernel counts whole bytes.
	if err == nil && got/8 != bits/8 {
		err = fmt.Errorf("%s of %s is limited to %d bit/s, want %d", l.from.Interface(), l.from.Ref(), got, bits)
	}
	return err
}
