package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/topology"
)

// A Deed is what a backend does wrong. The zero value is nothing.
type Deed string

// The deeds.
const (
	Slow        Deed = "slow"         // answers late
	Hang        Deed = "hang"         // takes the request and never answers
	WrongStatus Deed = "status"       // answers with an error status
	ResetHead   Deed = "reset-head"   // resets the connection instead of an answer
	ResetBody   Deed = "reset-body"   // resets the connection in the middle of the body
	Garbage     Deed = "garbage"      // answers with bytes that are no HTTP
	WrongLength Deed = "wrong-length" // announces more body than it sends
	Drip        Deed = "drip"         // sends the answer byte by byte
	Sick        Deed = "sick"         // fails its health probes and serves
)

// Deeds are all of them.
var Deeds = []Deed{Slow, Hang, WrongStatus, ResetHead, ResetBody, Garbage, WrongLength, Drip, Sick}

// What is taken where a Misbehaviour says nothing.
const (
	DefaultDelay  = 3 * time.Second
	DefaultStatus = 503
)

// A Misbehaviour is what a backend is told to do. The zero value is to behave as
// it did before it was told anything.
type Misbehaviour struct {
	Do     Deed
	Delay  time.Duration // Slow: before the answer; Drip: between bytes
	Status int           // WrongStatus
}

// Backend makes the lab's own backends misbehave towards all their clients, on
// connections that are open, too, health probes included. Revert brings the
// behaviour from before back.
type Backend struct {
	On     topology.Selector `json:"on" arg:"1" need:"true" doc:"nodes with an echo backend"`
	Do     Deed              `json:"do" arg:"2" need:"true" doc:"slow, hang, status, reset-head, reset-body, garbage, wrong-length, drip or sick"`
	Delay  time.Duration     `json:"delay,omitempty" doc:"slow: before the answer, 3s without it; drip: between bytes, 100ms without it"`
	Status int               `json:"status,omitempty" doc:"status: what it answers, 503 without it"`
}

// Spelling implements Spelled.
func (f Backend) Spelling() error {
	switch {
	case !slices.Contains(Deeds, f.Do):
		var names []string
		for _, d := range Deeds {
			names = append(names, string(d))
		}
		return fmt.Errorf("backends cannot %q; they can: %s", f.Do, strings.Join(names, ", "))
	case f.Delay < 0 || f.Delay > time.Minute:
		return fmt.Errorf("delay %v: want 0 to 1m", f.Delay)
	case f.Delay != 0 && f.Do != Slow && f.Do != Drip:
		return fmt.Errorf("delay is for slow and drip")
	case f.Status != 0 && (f.Do != WrongStatus || f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d: is for do=status, 200 to 599", f.Status)
	}
	return f.On.Check()
}

// Kind implements Fault.
func (Backend) Kind() string { return "backend" }

func (f Backend) String() string {
	switch m := f.misbehaviour(); f.Do {
	case Slow, Drip:
		return fmt.Sprintf("backends of %s: %s, %v", f.On, f.Do, m.Delay)
	case WrongStatus:
		return fmt.Sprintf("backends of %s: status %d", f.On, m.Status)
	default:
		return fmt.Sprintf("backends of %s: %s", f.On, f.Do)
	}
}

// misbehaviour fills in what was not said.
func (f Backend) misbehaviour() Misbehaviour {
	m := Misbehaviour{Do: f.Do, Delay: f.Delay, Status: f.Status}
	switch {
	case f.Do == Slow && m.Delay == 0:
		m.Delay = DefaultDelay
	case f.Do == Drip && m.Delay == 0:
		m.Delay = DefaultDrip
	case f.Do == WrongStatus && m.Status == 0:
		m.Status = DefaultStatus
	}
	return m
}

// backends are the selected nodes that have one.
func (f Backend) backends(t Target) []Machine {
	return slices.DeleteFunc(t.Machines(f.On), func(m Machine) bool {
		_, has := m.Misbehaving()
		return !has
	})
}

// Touches implements Fault.
func (f Backend) Touches(t Target) []topology.Ref {
	var out []topology.Ref
	for _, m := range f.backends(t) {
		out = append(out, m.Ref())
	}
	return out
}

// Claims implements Claimer.
func (f Backend) Claims(t Target) []Claim {
	var out []Claim
	for _, ref := range f.Touches(t) {
		out = append(out, BackendClaim(ref))
	}
	return out
}

// Survey implements Surveyor.
func (Backend) Survey(t Target) error {
	if len((Backend{On: "**"}).backends(t)) == 0 {
		return &Unavailable{Fault: "backend", Machine: true, Why: "this lab has no echo backend of its own"}
	}
	return nil
}

// Check implements Fault.
func (f Backend) Check(t Target) error {
	if _, err := selected(t, f, f.On); err != nil {
		return err
	}
	backends := f.backends(t)
	if len(backends) == 0 {
		return unavailable(f, "no node of %q has an echo backend", f.On)
	}
	for _, m := range backends {
		if m.Unplugged() {
			return unavailable(f, "%s has no power", m.Ref())
		}
		if now, _ := m.Misbehaving(); now.Do != "" {
			return unavailable(f, "the backend of %s does it wrong already: %s", m.Ref(), now.Do)
		}
	}
	return nil
}

// Apply implements Fault.
func (f Backend) Apply(ctx context.Context, t Target) error {
	m := f.misbehaviour()
	return parallel(f.backends(t), func(b Machine) error {
		if err := b.Misbehave(m); err != nil {
			return err
		}
		if a := b.TryBackend(ctx, m.patience()); !m.shows(a) {
			return fmt.Errorf("the backend of %s does not %s: a client saw %+v", b.Ref(), m.Do, a)
		}
		return nil
	})
}

// Revert implements Fault. A machine that is down has no backend to ask.
func (f Backend) Revert(_ context.Context, t Target) error {
	return parallel(f.backends(t), func(b Machine) error {
		if err := b.Misbehave(Misbehaviour{}); err != nil {
			return err
		}
		if now, _ := b.Misbehaving(); now.Do != "" {
			return errors.New(string(b.Ref()) + ": the backend still does it wrong: " + string(now.Do))
		}
		return nil
	})
}
