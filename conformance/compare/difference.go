package compare

import "github.com/unilb/unilb/conformance/spec"

// A Kind is what a difference means for whoever wants to ship the head.
type Kind string

// The kinds.
const (
	Regressed Kind = "regressed" // it passed, and does not
	Fixed     Kind = "fixed"     // it did not pass, and does
	Lost      Kind = "lost"      // it passed, and nobody can say any more: skipped, unclaimed, unproven
	Gained    Kind = "gained"    // nobody could say, and it passes
	Changed   Kind = "changed"   // it passes on both, and clients or backends see something else
	Unsteady  Kind = "unsteady"  // not the same every time on one side: nobody can tell
	Slower    Kind = "slower"    // or needs more of something
	Faster    Kind = "faster"    // or needs less
	NewCase   Kind = "new case"  // only the head was asked
	GoneCase  Kind = "gone case" // only the base was asked
)

// wrong kinds make a regression; undecided ones leave the comparison open.
func (k Kind) wrong() bool {
	return k == Regressed || k == Lost || k == Changed || k == Slower
}

// A Difference is something that every run of the head shows and no run of the
// base, or the other way round.
type Difference struct {
	Kind    Kind     `yaml:"kind" json:"kind"`
	Meaning Meaning  `yaml:"meaning" json:"meaning"`
	Cases   []string `yaml:"cases" json:"cases"`                     // that show it; of a figure, its name
	What    string   `yaml:"what,omitempty" json:"what,omitempty"`   // "header at the backend: x-forwarded-for"
	Base    string   `yaml:"base" json:"base"`                       // what is so on the base
	Head    string   `yaml:"head" json:"head"`                       // and on the head
	Asked   string   `yaml:"asked,omitempty" json:"asked,omitempty"` // one of the requests that show it
	Says    []string `yaml:"says,omitempty" json:"says,omitempty"`   // what the case said on the side where it did not pass, and what else was seen of it
	Allowed string   `yaml:"allowed,omitempty" json:"allowed,omitempty"`
}

// stateOf is in which column a state belongs for a comparison.
type column int

const (
	undecided column = iota
	good
	bad
	absent // skipped, unclaimed
)

func columnOf(s spec.State) column {
	switch s {
	case spec.Pass:
		return good
	case spec.Fail, spec.Warn: // a warning is a promise that is not kept
		return bad
	case spec.Skip, spec.Unsupported:
		return absent
	}
	return undecided
}
