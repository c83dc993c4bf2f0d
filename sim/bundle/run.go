package bundle

import (
	"time"

	"github.com/unilb/unilb/sim/check"
)

// A Run is run.yaml: what is needed to run it again and to compare it.
type Run struct {
	Name     string    `json:"name"` // of the scenario
	Started  time.Time `json:"started"`
	Took     string    `json:"took,omitempty"`
	Command  []string  `json:"command"`
	Scenario string    `json:"scenario"` // path of the file, as given
	Seed     uint64    `json:"seed"`
	Topology string    `json:"topology"`
	Set      []string  `json:"set,omitempty"`
	Lab      string    `json:"lab"` // name under which it ran
	Commit   string    `json:"commit,omitempty"`
	Digests  Digests   `json:"digests"`
	Gateways []Gateway `json:"gateways"` // each driver once
	// Driver and Binary are what was asked for in the place of what the topology
	// says.
	Driver  string  `json:"driver,omitempty"`
	Binary  string  `json:"binary,omitempty"`
	Machine Machine `json:"machine"`
	Ended   string  `json:"ended,omitempty"` // "", or why it ended early
}

// Digests are equal for runs of one scenario with one seed.
type Digests struct {
	Plan    string `json:"plan"`    // nodes, links, addresses, processes
	Faults  string `json:"faults"`  // what is published and done to the lab, and when
	Traffic string `json:"traffic"` // who sends what, and when
}

// A Gateway is a build under test.
type Gateway struct {
	Driver  string `json:"driver"`
	Binary  string `json:"binary,omitempty"` // path
	SHA256  string `json:"sha256,omitempty"` // of the file
	Version string `json:"version,omitempty"`
}

// A Machine is where it ran.
type Machine struct {
	Kernel string   `json:"kernel"`
	CPUs   int      `json:"cpus"`
	Has    []string `json:"has,omitempty"`
	Lacks  []string `json:"lacks,omitempty"`
	// Stolen is the share of the time of all CPUs, from 0 to 1, that went to other
	// machines during the run.
	Stolen float64 `json:"stolen"`
}

// A Result is the outcome of a run.
type Result string

// The results, as "lbsim run" prints them. The zero value is none of them.
const (
	Good      Result = "good"
	Wrong     Result = "wrong"
	Undecided Result = "undecided"
)

// A Verdict is verdict.yaml.
type Verdict struct {
	Result Result `json:"result"`
	// Interrupted says that somebody called the run off: whatever its checks say of
	// half a history, nothing is decided.
	Interrupted bool `json:"interrupted,omitempty"`
	// Failed is the step that did not come true, with the reason.
	Failed   string          `json:"failed,omitempty"`
	Verdicts []check.Verdict `json:"verdicts"`
	// Problems are the testbed's own: they make a run undecided.
	Problems []string `json:"problems,omitempty"`
	Rerun    string   `json:"rerun"`
}

// Sum is what verdicts, a failed step and problems come to. Nothing judged is
// undecided, and so is a run that was interrupted.
func Sum(v Verdict) Result {
	switch worst := check.Worst(v.Verdicts); {
	case v.Interrupted:
		return Undecided
	case v.Failed != "" || worst == check.Invalid:
		return Wrong
	case worst == check.Valid && len(v.Problems) == 0:
		return Good
	default:
		return Undecided
	}
}
