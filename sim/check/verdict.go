package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/history"
)

// A State is the result of a check.
type State int

// The states. Unknown is not a pass.
const (
	Unknown State = iota // undecided: too little evidence
	Invalid              // the history contradicts the property
	Valid                // enough was examined, nothing contradicts it
)

var stateNames = [...]string{Unknown: "unknown", Invalid: "invalid", Valid: "valid"}

// String is the state in lower case.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return stateNames[s]
}

// MarshalText makes the state readable in reports.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(b []byte) error {
	for i, n := range stateNames {
		if n == string(b) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("unknown state %q", b)
}

// Evidence is one record that led to the verdict.
type Evidence struct {
	Op   string        `json:"op,omitempty"` // op id
	At   time.Duration `json:"at"`
	Text string        `json:"text"`
}

// MaxEvidence is how many violations a verdict lists; its summary counts all.
const MaxEvidence = 100

// A Verdict is what a check has to say about a history.
type Verdict struct {
	Check    string     `json:"check"`
	State    State      `json:"state"`
	Examined int        `json:"examined"` // records it had something to say about
	Summary  string     `json:"summary"`
	Evidence []Evidence `json:"evidence,omitempty"` // violations, first ones first
	Excused  []Evidence `json:"excused,omitempty"`  // every violation that an excuse covers, none dropped
}

// String is the one line that a terminal shows, whatever the evidence holds.
func (v Verdict) String() string {
	s := fmt.Sprintf("%-8s %-16s %s", v.State, v.Check, v.Summary)
	if v.State == Invalid && len(v.Evidence) > 0 {
		e := v.Evidence[0]
		op := ""
		if e.Op != "" {
			op = "op " + e.Op + " "
		}
		s += fmt.Sprintf("; first: %sat +%s: %s", op, e.At.Round(time.Microsecond), e.Text)
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// A Checker judges histories.
type Checker interface {
	Name() string
	Check(*history.History, Facts) Verdict
}

// Judge applies all checkers, in order.
func Judge(h *history.History, f Facts, cs ...Checker) []Verdict {
	vs := make([]Verdict, 0, len(cs))
	for _, c := range cs {
		v := c.Check(h, f)
		if v.Examined == 0 && v.State == Valid { // a checker that forgets the rule is held to it
			v.State, v.Summary = Unknown, "nothing was examined"
		}
		vs = append(vs, v)
	}
	return vs
}

// Worst is Invalid when any verdict is, else Unknown when any is or there are
// none, else Valid.
func Worst(vs []Verdict) State {
	worst := Valid
	for _, v := range vs {
		switch v.State {
		case Invalid:
			return Invalid
		case Valid:
		default:
			worst = Unknown
		}
	}
	if len(vs) == 0 {
		return Unknown
	}
	return worst
}

// finding collects a verdict.
type finding struct {
	Verdict
	bad    int
	doubts []string
}

func (f *finding) violation(op string, at time.Duration, format string, args ...any) {
	f.bad++
	if len(f.Evidence) < MaxEvidence {
		f.Evidence = append(f.Evidence, Evidence{Op: op, At: at, Text: fmt.Sprintf(format, args...)})
	}
}

// doubt says why the history cannot prove the property, should it hold.
func (f *finding) doubt(format string, args ...any) {
	f.doubts = append(f.doubts, fmt.Sprintf(format, args...))
}

// verdict decides: a violation is a violation however thin the history; good
// needs evidence.
func (f *finding) verdict(h *history.History, good string) Verdict {
	v := f.Verdict
	switch {
	case f.bad > 0:
		v.State = Invalid
	case h.Lost > 0:
		v.State, v.Summary = Unknown, fmt.Sprintf("%d records did not fit into the history", h.Lost)
	case v.Examined == 0 && len(f.doubts) == 0:
		v.State, v.Summary = Unknown, "nothing was examined"
	case len(f.doubts) > 0:
		v.State, v.Summary = Unknown, f.doubts[0]
	default:
		v.State, v.Summary = Valid, good
	}
	return v
}
