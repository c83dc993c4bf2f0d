package labenv

import (
	"fmt"
	"time"

	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
)

// An order is what a worker is to do next; exactly one field is set. A worker
// answers every order with any number of lines and then one reply, as JSON on the
// socket that it was started with.
type order struct {
	Up   *upOrder   `json:"up,omitempty"`
	Case *caseOrder `json:"case,omitempty"`
	Load *loadOrder `json:"load,omitempty"`
	Ask  ask        `json:"ask,omitempty"`
	Down bool       `json:"down,omitempty"` // take the lab down, save the evidence and end
}

// An ask is a question about the gateways themselves.
type ask string

// The questions.
const (
	askRevision ask = "revision" // does what they say of revisions hold?
	askLife     ask = "life"     // did they live through the cases?
	askDrain    ask = "drain"    // do they end when they are told to? The last question
)

// An upOrder says which lab to bring up, and which build of which gateway in it.
type upOrder struct {
	Gateway   string            `json:"gateway"`
	Binary    string            `json:"binary,omitempty"`
	Topology  string            `json:"topology,omitempty"`
	BinDir    string            `json:"bin_dir"`
	Out       string            `json:"out"`
	Require   []string          `json:"require,omitempty"`
	Excluded  map[string]string `json:"excluded,omitempty"`
	Challenge bool              `json:"challenge,omitempty"`
	Scenarios bool              `json:"scenarios,omitempty"`  // some will be run as well
	Cases     []string          `json:"cases"`                // ids of all that will be asked for
	CaseLimit time.Duration     `json:"case_limit,omitempty"` // in the place of longer ones
	Notes     *notes            `json:"notes,omitempty"`      // of the worker before this one, which was lost
	Loads     int               `json:"loads,omitempty"`      // the how manieth series of loads the lab is for; 0: it is for the cases
	Rerun     []string          `json:"rerun"`                // words of the command that runs one case again, without the case
}

// A caseOrder says which case to run, for the how manieth time.
type caseOrder struct {
	ID    string `json:"id"`
	Round int    `json:"round"` // from 0
}

// A loadOrder asks for the figures of a short load of a new gateway process.
type loadOrder struct {
	Lasting time.Duration `json:"lasting"`
}

// A reply ends an order, unless it holds a line.
type reply struct {
	Line    string          `json:"line,omitempty"` // progress: the reply is yet to come
	Place   *place          `json:"place,omitempty"`
	Result  *spec.Result    `json:"result,omitempty"`
	Seen    *compare.Seen   `json:"seen,omitempty"`
	Notes   *notes          `json:"notes,omitempty"` // with the result of a case
	Sample  *compare.Sample `json:"sample,omitempty"`
	Used    *usage          `json:"used,omitempty"` // with the answer to askLife
	Refused *refusal        `json:"refused,omitempty"`
}

// A place is where cases run.
type place struct {
	Run     report.Run     `json:"run"`
	Machine report.Machine `json:"machine"`
}

// A usage is what all gateway processes have needed since they were started.
type usage struct {
	CPU  time.Duration `json:"cpu"`
	Peak int64         `json:"peak"` // bytes of resident memory, at most
}

// A refusal says that an order could not be carried out, which is no fault of the
// gateway.
type refusal struct {
	Code int    `json:"code"` // one of the exit codes
	Text string `json:"text"`
}

// Notes are what a worker knows and the next one must know when it is lost.
type notes struct {
	Nth     int                           `json:"nth,omitempty"`    // which worker they are for; 0: the first
	States  map[int]map[string]spec.State `json:"states,omitempty"` // by round and case; only from who leads the run
	Latest  map[string]spec.State         `json:"latest,omitempty"` // by case; from there, too
	Deaths  []string                      `json:"deaths,omitempty"`
	Excused []string                      `json:"excused,omitempty"`
	Cut     int                           `json:"cut,omitempty"`
}

// own is the directory of a lab inside that of the first one.
func (o upOrder) own() string {
	switch {
	case o.Loads > 0:
		return fmt.Sprintf("loads-%d", o.Loads)
	case o.Notes != nil:
		return fmt.Sprintf("worker-%d", o.Notes.Nth+1)
	}
	return ""
}
