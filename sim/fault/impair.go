package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/unilb/unilb/topology"
)

// Impair makes cables bad: slow, jittery, lossy, or all that an Impairment can say,
// an MTU black hole included. It replaces what the cables did before, also the
// delay that the topology file gave them; Revert brings that back. Links of the
// kernel cannot do it.
type Impair struct {
	Link      topology.LinkSelector `json:"link" arg:"1" need:"true" doc:"links, as node--node or by a node that they end in"`
	Direction Direction             `json:"direction,omitempty" arg:"2" doc:"a-to-b or b-to-a, a being the side named first; both ways without it"`
	topology.Impairment
	// Was is what each direction of a cable did before.
	Was map[string]topology.Impairment `json:"was,omitempty" yaml:"-"`
}

// wireHint is what to do about a link that cannot be impaired.
const wireHint = "give it a wire in the topology file: wires: {az1--az2: {impairable: true}} of a region, " +
	"or wire: {impairable: true} of clients or an IDC pool"

// Spelling implements Spelled.
func (f Impair) Spelling() error {
	if err := checkDirection(f.Direction); err != nil {
		return err
	}
	if f.IsZero() {
		return fmt.Errorf("nothing is said that the cable is to do")
	}
	return f.Link.Check()
}

// Kind implements Fault.
func (Impair) Kind() string { return "impair" }

func (f Impair) String() string {
	return fmt.Sprintf("%s: %s", over(f.Link, f.Direction), deeds(f.Impairment))
}

// deeds says what an impairment does, in words.
func deeds(i topology.Impairment) string {
	var out []string
	say := func(does bool, format string, args ...any) {
		if does {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	say(i.Delay > 0, "%v late", i.Delay)
	say(i.Jitter > 0, "give or take %v", i.Jitter)
	say(i.Loss > 0, "%.3g %% lost", 100*i.Loss)
	say(i.Duplicate > 0, "%.3g %% twice", 100*i.Duplicate)
	say(i.Corrupt > 0, "%.3g %% corrupt", 100*i.Corrupt)
	say(i.Reorder > 0, "%.3g %% out of order", 100*i.Reorder)
	say(i.Rate > 0, "at most %s", bitrate(i.Rate))
	say(i.MaxPacket > 0, "packets above %d bytes vanish", i.MaxPacket)
	say(len(i.At) > 0, "%d deeds at fixed places", len(i.At))
	return strings.Join(out, ", ")
}

// Touches implements Fault.
func (f Impair) Touches(t Target) []topology.Ref { return ends(t, f.Link) }

// Claims implements Claimer.
func (f Impair) Claims(t Target) []Claim {
	var out []Claim
	for _, l := range lanes(t, f.Link, f.Direction) {
		out = append(out, laneClaim(l))
	}
	return out
}

// Survey implements Surveyor.
func (Impair) Survey(t Target) error {
	for _, l := range t.Links("**") {
		if l.Cable() != nil {
			return nil
		}
	}
	return &Unavailable{Fault: "impair", Machine: true,
		Why: "no link of this lab is a wire; " + wireHint}
}

// Check implements Fault.
func (f Impair) Check(t Target) error {
	if err := checkLinks(t, f, f.Link); err != nil {
		return err
	}
	for _, l := range t.Links(f.Link) {
		if c := l.Cable(); c != nil {
			if err := c.CheckImpairment(f.Impairment); err != nil {
				return unavailable(f, "%v", err)
			}
		} else {
			return &Unavailable{Fault: f.String(), Machine: true, Why: fmt.Sprintf("link %s is a kernel link; %s", l.Name(), wireHint)}
		}
	}
	return nil
}

// Resolve implements Resolver: it notes what the cables do now.
func (f Impair) Resolve(_ context.Context, t Target) (Fault, error) {
	f.Was = map[string]topology.Impairment{}
	for _, l := range lanes(t, f.Link, f.Direction) {
		f.Was[l.name()] = l.link.Cable().Impairment(l.way)
	}
	return f, nil
}

// Apply implements Fault.
func (f Impair) Apply(_ context.Context, t Target) error {
	for _, l := range lanes(t, f.Link, f.Direction) {
		if err := impair(l, f.Impairment); err != nil {
			return err
		}
	}
	return nil
}

// Revert implements Fault. What Resolve has not seen is left as it is.
func (f Impair) Revert(_ context.Context, t Target) error {
	for _, l := range lanes(t, f.Link, f.Direction) {
		was, known := f.Was[l.name()]
		if !known {
			continue
		}
		if err := impair(l, was); err != nil {
			return err
		}
	}
	return nil
}

// impair sets what a lane does and asks the cable whether it does so. A lane that
// does so already is left alone: setting it again would begin to count anew.
func impair(l lane, want topology.Impairment) error {
	c := l.link.Cable()
	if c == nil {
		return fmt.Errorf("%s is a kernel link", l.link.Name())
	}
	if sameImpairment(c.Impairment(l.way), want) {
		return nil
	}
	if err := c.Impair(l.way, want); err != nil {
		return fmt.Errorf("impair %s: %w", l.name(), err)
	}
	if got := c.Impairment(l.way); !sameImpairment(got, want) {
		return fmt.Errorf("%s does %+v, want %+v", l.name(), got, want)
	}
	return nil
}

// sameImpairment compares as the ledger writes.
func sameImpairment(a, b topology.Impairment) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
