package compare

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/report"
)

// A Side is one of the two builds, and where it was judged.
type Side struct {
	Given   string         `yaml:"given" json:"given"` // as on the command line
	Gateway report.Gateway `yaml:"gateway" json:"gateway"`
	Suite   report.Suite   `yaml:"suite" json:"suite"`
	Run     report.Run     `yaml:"run" json:"run"`
	Machine report.Machine `yaml:"machine" json:"machine"`
}

// A Comparison is everything that was found out about two builds.
type Comparison struct {
	APIVersion  string        `yaml:"apiVersion" json:"apiVersion"`
	Kind        string        `yaml:"kind" json:"kind"`
	Base        Side          `yaml:"base" json:"base"`
	Head        Side          `yaml:"head" json:"head"`
	Started     time.Time     `yaml:"started" json:"started"`
	Took        time.Duration `yaml:"took" json:"took"`
	Command     string        `yaml:"command,omitempty" json:"command,omitempty"`
	Cases       int           `yaml:"cases" json:"cases"`         // that both sides ran
	Scenarios   int           `yaml:"scenarios" json:"scenarios"` // that both sides ran
	Differences []Difference  `yaml:"differences" json:"differences"`
	Figures     []Figure      `yaml:"figures,omitempty" json:"figures,omitempty"`
	Pairs       []Pair        `yaml:"pairs,omitempty" json:"pairs,omitempty"`
	Used        []Use         `yaml:"used,omitempty" json:"used,omitempty"`
	Unused      []string      `yaml:"unused,omitempty" json:"unused,omitempty"`     // entries of the allow-list that accepted nothing
	Notes       []string      `yaml:"notes,omitempty" json:"notes,omitempty"`       // what a reader must know
	Problems    []string      `yaml:"problems,omitempty" json:"problems,omitempty"` // what leaves the comparison undecided
	Verdict     string        `yaml:"verdict" json:"verdict"`
}

// A Use is what the gateways of both sides needed for all cases together. It is one
// measurement of each: for a verdict take pairs.
type Use struct {
	Name  string  `yaml:"name" json:"name"`
	Base  string  `yaml:"base" json:"base"`
	Head  string  `yaml:"head" json:"head"`
	Ratio float64 `yaml:"ratio" json:"ratio"`
}

// Verdicts of a comparison.
const (
	NoRegression = "no regression"
	Regression   = "regression"
	Open         = "undecided"
)

// Fill computes what follows from what was observed: what an allow-list accepts
// (nil: nothing), the order of a report, and the verdict. Call it once, at the end.
func (c *Comparison) Fill(allow *AllowList) {
	c.APIVersion, c.Kind = "lbsim.comparison/v1", "Comparison"
	all := Join(slices.Concat(c.Differences, failedLoads(c.Pairs), differences(c.Figures)))
	c.Differences, c.Unused = allow.mark(all)
	order := []Kind{Regressed, Lost, Changed, Slower, Unsteady, Fixed, Gained, Faster, NewCase, GoneCase}
	meanings := Meanings()
	slices.SortStableFunc(c.Differences, func(a, b Difference) int {
		if a.Kind != b.Kind {
			return slices.Index(order, a.Kind) - slices.Index(order, b.Kind)
		}
		return slices.Index(meanings, a.Meaning) - slices.Index(meanings, b.Meaning)
	})
	if c.Cases+c.Scenarios == 0 {
		c.Problems = append(c.Problems, "nothing was compared")
	}
	c.Verdict = NoRegression
	counts := c.Counts()
	for _, d := range c.Differences {
		if d.Kind.wrong() && d.Allowed == "" {
			c.Verdict = Regression
		}
	}
	if c.Verdict == NoRegression && (len(c.Problems) > 0 || counts[Unsteady] > 0) {
		c.Verdict = Open
	}
}

// Counts are the differences that nobody has accepted, by kind.
func (c *Comparison) Counts() map[Kind]int {
	out := map[Kind]int{}
	for _, d := range c.Differences {
		if d.Allowed == "" {
			out[d.Kind]++
		}
	}
	return out
}

// Exit is the exit code: 0 no regression, 1 regression, 2 undecided.
func (c *Comparison) Exit() int {
	switch c.Verdict {
	case NoRegression:
		return 0
	case Regression:
		return 1
	}
	return 2
}

// Summary is the last line: the verdict and what it rests on.
func (c *Comparison) Summary() string {
	var parts []string
	counts := c.Counts()
	for _, k := range []Kind{Regressed, Lost, Changed, Slower, Unsteady} {
		if n := counts[k]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, k))
		}
	}
	if n := len(c.Problems); n > 0 {
		parts = append(parts, fmt.Sprintf("%d problems", n))
	}
	s := "verdict: " + c.Verdict
	if len(parts) > 0 {
		s += " (" + strings.Join(parts, ", ") + ")"
	}
	return s
}

// Comparable finds what makes two runs that were not made together incomparable,
// and what a reader must know; across says that the first is accepted.
func (c *Comparison) Comparable(across bool) {
	var odd []string
	if b, h := c.Base.Run.TopologyDigest, c.Head.Run.TopologyDigest; b != h {
		odd = append(odd, fmt.Sprintf("other topologies: %s %.14s and %s %.14s", c.Base.Run.Topology, b, c.Head.Run.Topology, h))
	}
	if b, h := machineClass(c.Base.Machine), machineClass(c.Head.Machine); b != h {
		odd = append(odd, fmt.Sprintf("other machine classes: %s and %s", b, h))
	}
	if across {
		c.Notes = append(c.Notes, odd...)
	} else {
		for _, o := range odd {
			c.Problems = append(c.Problems, o+" (--across compares all the same)")
		}
	}
	if c.Base.Suite.Cases != c.Head.Suite.Cases {
		c.Notes = append(c.Notes, "the lists of cases differ: only cases of both are compared")
	}
}

// machineClass is what must be equal for two runs to mean the same.
func machineClass(m report.Machine) string {
	return fmt.Sprintf("%s with %d CPUs, has %v", m.Arch, m.CPUs, m.Has)
}
