package scenario

import (
	"time"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/check"
)

// A Line is one thing that a run has to say, as it happens.
type Line struct {
	Kind string `json:"kind"` // see the constants
	// Name is one word: "steady", "inject", the name of a check.
	Name string        `json:"name,omitempty"`
	Text string        `json:"text,omitempty"`
	At   time.Duration `json:"at,omitempty"`   // on the run's clock
	Took time.Duration `json:"took,omitempty"` // of a step
	// Verdict is that of a check; Result and Run end a run.
	Verdict *check.Verdict `json:"verdict,omitempty"`
	Result  bundle.Result  `json:"result,omitempty"`
	// Interrupted: somebody called the run off.
	Interrupted bool   `json:"interrupted,omitempty"`
	Run         string `json:"run,omitempty"` // directory
	Rerun       string `json:"rerun,omitempty"`
}

// The kinds of lines.
const (
	LineStep    = "step"    // a step has ended well
	LineFailed  = "failed"  // a step has not
	LineJudged  = "judged"  // the history is judged: what it holds
	LineVerdict = "verdict" // of one check
	LineProblem = "problem" // the testbed's own
	LineResult  = "result"  // the last one
)
