package check

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// What specs leave out.
const (
	DefaultWithin = 15 * time.Second // also of detect and recover
	DefaultAlpha  = 0.001
)

// NoRequestLostSpec is NoRequestLost as data.
type NoRequestLostSpec struct {
	Among
	Except []ExceptSpec `json:"except,omitempty" yaml:"except" max:"64" doc:"what a fault may cost"`
}

// ExceptSpec is an Excuse as data.
type ExceptSpec struct {
	In topology.Selector `json:"in,omitempty" yaml:"in" doc:"the part that the fault hits; without it: everywhere, as a configuration that somebody got wrong does, and then only the ways to end that are listed"`
	When
	Only []history.ErrClass `json:"only,omitempty" yaml:"only" max:"16" doc:"only operations that ended so: refused, reset, eof, ...; without it: however they ended"`
}

// When is a window of the history, by the name of a span or of a fault.
type When struct {
	During string        `json:"during" yaml:"during" required:"true" doc:"name of a span or a fault"`
	First  time.Duration `json:"first,omitempty" yaml:"first" min:"0s" max:"1h" doc:"only so long from its beginning; without it: to its end"`
	Plus   time.Duration `json:"plus,omitempty" yaml:"plus" min:"0s" max:"10m" doc:"how much longer than that"`
}

func (w When) spelling() error {
	return errors.Join(named(w.During), positive(w.First), positive(w.Plus))
}

// window is the window in a history that has the name.
func (w When) window(h *history.History) (history.Window, error) {
	found, err := windowOf(h, w.During)
	if w.First > 0 && (found.Open() || found.To > found.From+w.First) {
		found.To = found.From + w.First
	}
	return found.Plus(w.Plus), err
}

// Kind is the spec's word.
func (NoRequestLostSpec) Kind() string { return "no-request-lost" }

// Spelling says what is wrong with it.
func (s NoRequestLostSpec) Spelling() error {
	var errs []error
	for i, e := range s.Except {
		for _, err := range []error{e.where(), e.spelling(), known(e.Only)} {
			if err != nil {
				errs = append(errs, fmt.Errorf("except[%d]: %w", i, err))
			}
		}
	}
	return errors.Join(errs...)
}

func (e ExceptSpec) where() error {
	switch {
	case e.In != "":
		return selects(e.In)
	case len(e.Only) == 0:
		return errors.New("without in, only must list the ways to end that are excused everywhere")
	default:
		return nil
	}
}

// Checker is the check. A window that the history does not have excuses nothing.
func (s NoRequestLostSpec) Checker() Checker {
	return s.of(resolved{noRequestLost{}.Name(), func(h *history.History, _ Facts) (Checker, error) {
		var except []Excuse
		var missing error
		for _, e := range s.Except {
			w, err := e.window(h)
			switch {
			case errors.Is(err, errNoWindow):
				missing = cmp.Or(missing, err)
				continue
			case err != nil:
				return nil, err
			}
			x := InFlight(e.In, w)
			if len(e.Only) > 0 {
				x = x.Only(e.Only...)
			}
			except = append(except, x)
		}
		return doubted{NoRequestLost(except...), missing}, nil
	}})
}

// AtMostOnceSpec is AtMostOnce as data.
type AtMostOnceSpec struct {
	Among
}

// Kind is the spec's word.
func (AtMostOnceSpec) Kind() string { return "at-most-once" }

// Spelling finds nothing.
func (AtMostOnceSpec) Spelling() error { return nil }

// Checker is the check.
func (s AtMostOnceSpec) Checker() Checker { return s.of(AtMostOnce()) }

// ConfigConvergesSpec is ConfigConverges as data.
type ConfigConvergesSpec struct {
	Among
	Within time.Duration `json:"within,omitempty" yaml:"within" min:"1ms" max:"1h" default:"15s" doc:"after a write returned nothing older may be served that much later"`
}

// Kind is the spec's word.
func (ConfigConvergesSpec) Kind() string { return "config-converges" }

// Spelling says what is wrong with it.
func (s ConfigConvergesSpec) Spelling() error { return positive(s.Within) }

// Checker is the check.
func (s ConfigConvergesSpec) Checker() Checker {
	return s.of(ConfigConverges(cmp.Or(s.Within, DefaultWithin)))
}

// NoTornConfigSpec is NoTornConfig as data.
type NoTornConfigSpec struct {
	Among
}

// Kind is the spec's word.
func (NoTornConfigSpec) Kind() string { return "no-torn-config" }

// Spelling finds nothing.
func (NoTornConfigSpec) Spelling() error { return nil }

// Checker is the check.
func (s NoTornConfigSpec) Checker() Checker { return s.of(NoTornConfig()) }

// TenantIsolationSpec is TenantIsolation as data.
type TenantIsolationSpec struct {
	Among
}

// Kind is the spec's word.
func (TenantIsolationSpec) Kind() string { return "tenant-isolation" }

// Spelling finds nothing.
func (TenantIsolationSpec) Spelling() error { return nil }

// Checker is the check.
func (s TenantIsolationSpec) Checker() Checker { return s.of(TenantIsolation()) }

// HealthGateSpec is HealthGate as data.
type HealthGateSpec struct {
	Among
	On      topology.Selector `json:"on" yaml:"on" required:"true" doc:"backends that faults hit"`
	Detect  time.Duration     `json:"detect,omitempty" yaml:"detect" min:"1ms" max:"1h" default:"15s" doc:"after a fault began nothing may arrive there that much later"`
	Recover time.Duration     `json:"recover,omitempty" yaml:"recover" min:"1ms" max:"1h" default:"15s" doc:"after it ended something must arrive there within that time"`
}

// Kind is the spec's word.
func (HealthGateSpec) Kind() string { return "health-gate" }

// Spelling says what is wrong with it.
func (s HealthGateSpec) Spelling() error {
	return errors.Join(selects(s.On), positive(s.Detect), positive(s.Recover))
}

// Checker is the check.
func (s HealthGateSpec) Checker() Checker {
	return s.of(HealthGate(s.On, cmp.Or(s.Detect, DefaultWithin), cmp.Or(s.Recover, DefaultWithin)))
}

// BlastRadiusSpec is BlastRadius as data.
type BlastRadiusSpec struct {
	Among
	In topology.Selector `json:"in" yaml:"in" required:"true" doc:"the part that the fault hits"`
	When
}

// Kind is the spec's word.
func (BlastRadiusSpec) Kind() string { return "blast-radius" }

// Spelling says what is wrong with it.
func (s BlastRadiusSpec) Spelling() error {
	return errors.Join(selects(s.In), s.spelling())
}

// Checker is the check.
func (s BlastRadiusSpec) Checker() Checker {
	return s.of(resolved{blastRadius{}.Name(), func(h *history.History, _ Facts) (Checker, error) {
		w, err := s.window(h)
		return BlastRadius(s.In, w), err
	}})
}

// RecoversSpec is Recovers as data.
type RecoversSpec struct {
	Among
	Within time.Duration `json:"within,omitempty" yaml:"within" min:"1ms" max:"1h" default:"15s" doc:"after each fault began a steady second must begin within that time"`
}

// Kind is the spec's word.
func (RecoversSpec) Kind() string { return "recovers" }

// Spelling says what is wrong with it.
func (s RecoversSpec) Spelling() error { return positive(s.Within) }

// Checker is the check.
func (s RecoversSpec) Checker() Checker { return s.of(Recovers(cmp.Or(s.Within, DefaultWithin))) }

// AdminLinearizableSpec is AdminLinearizable as data.
type AdminLinearizableSpec struct{}

// Kind is the spec's word.
func (AdminLinearizableSpec) Kind() string { return "admin-linearizable" }

// Spelling finds nothing.
func (AdminLinearizableSpec) Spelling() error { return nil }

// Checker is the check.
func (AdminLinearizableSpec) Checker() Checker { return AdminLinearizable() }

// NothingLeftSpec is NothingLeft as data.
type NothingLeftSpec struct{}

// Kind is the spec's word.
func (NothingLeftSpec) Kind() string { return "nothing-left" }

// Spelling finds nothing.
func (NothingLeftSpec) Spelling() error { return nil }

// Checker is the check.
func (NothingLeftSpec) Checker() Checker { return NothingLeft() }

func selects(s topology.Selector) error { return s.Check() }

func named(during string) error {
	if during == "" {
		return errors.New("during names no span and no fault")
	}
	return nil
}

func positive(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%s is negative", d)
	}
	return nil
}

// classes are how an operation can end badly, in the words of a spec.
var classes = append(slices.Concat(deadEnds, generated), history.ClassCanceled, history.ClassProtocol, history.ClassOther)

func known(only []history.ErrClass) error {
	for _, c := range only {
		if !slices.Contains(classes, c) {
			var names []string
			for _, k := range classes {
				names = append(names, string(k))
			}
			return fmt.Errorf("only: %q is no way to end; there are: %s", c, strings.Join(names, ", "))
		}
	}
	return nil
}
