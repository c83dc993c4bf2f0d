package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/sim/history"
)

// A Spec is a check as data: scenario files hold it, and runs are judged by it
// again. It marshals to JSON; its zero values are its defaults.
type Spec interface {
	Kind() string     // its word in the catalogue
	Spelling() error  // what is wrong with it, whatever the history
	Checker() Checker // resolves names of windows when it judges
}

// JudgeSpecs applies all specs, in order. One that is not well formed, or that
// names what the history does not have, is Unknown and says so.
func JudgeSpecs(h *history.History, f Facts, specs []Spec) []Verdict {
	cs := make([]Checker, len(specs))
	for i, s := range specs {
		if cs[i] = s.Checker(); s.Spelling() != nil {
			cs[i] = undecided{cs[i].Name(), s.Spelling()}
		}
	}
	return Judge(h, f, cs...)
}

// Among chooses whose operations a check is about.
type Among struct {
	// Streams whose operations are judged, with the arrivals of those; none: all.
	Streams []string `json:"streams,omitempty" yaml:"streams" max:"64" doc:"judge only the operations of these streams"`
}

// of narrows a check to the streams.
func (a Among) of(c Checker) Checker {
	if len(a.Streams) == 0 {
		return c
	}
	return among{c, a.Streams}
}

type among struct {
	Checker
	streams []string
}

func (c among) Check(h *history.History, f Facts) Verdict {
	ops := map[string]int{}
	for _, o := range h.Ops {
		ops[o.Stream]++
	}
	for _, s := range c.streams {
		if ops[s] == 0 {
			return undecided{c.Name(), fmt.Errorf("no operation is of stream %q", s)}.Check(h, f)
		}
	}
	return c.Checker.Check(h.Only(func(o history.Op) bool { return slices.Contains(c.streams, o.Stream) }), f)
}

// resolved is a check that is made when the history is known.
type resolved struct {
	name string
	make func(*history.History, Facts) (Checker, error)
}

func (c resolved) Name() string { return c.name }

func (c resolved) Check(h *history.History, f Facts) Verdict {
	made, err := c.make(h, f)
	if err != nil {
		return undecided{c.name, err}.Check(h, f)
	}
	return made.Check(h, f)
}

// undecided is a check that cannot be made.
type undecided struct {
	name string
	why  error
}

func (c undecided) Name() string { return c.name }

func (c undecided) Check(*history.History, Facts) Verdict {
	return Verdict{Check: c.name, State: Unknown, Summary: c.why.Error()}
}

// doubted is a check that can find violations and, when there is a reason why
// not, prove nothing.
type doubted struct {
	Checker
	why error
}

func (c doubted) Check(h *history.History, f Facts) Verdict {
	v := c.Checker.Check(h, f)
	switch {
	case c.why == nil:
	case v.State == Invalid:
		v.Summary += "; " + c.why.Error()
	default:
		v.State, v.Summary = Unknown, c.why.Error()
	}
	return v
}

// errNoWindow says that what was to be blamed did not happen.
var errNoWindow = errors.New("no span and no fault of the history has")

// windowOf finds the window that a span or a fault of the history gives a name to.
// A name that means two windows means neither.
func windowOf(h *history.History, name string) (history.Window, error) {
	var found []history.Window
	var names []string
	note := func(n string, w history.Window) {
		if n == name {
			found = append(found, w)
		}
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	for _, s := range h.Spans {
		note(s.Name, s.Window)
	}
	for _, w := range h.Faults {
		note(w.Name, w.Window)
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return history.Window{}, fmt.Errorf("during %q: %d spans and faults of the history have that name", name, len(found))
	case len(names) == 0:
		return history.Window{}, fmt.Errorf("during %q: %w a name", name, errNoWindow)
	}
	slices.Sort(names)
	return history.Window{}, fmt.Errorf("during %q: %w that name; there are: %s", name, errNoWindow, strings.Join(names, ", "))
}
