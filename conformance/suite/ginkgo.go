package suite

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// What Ginkgo 2 writes with --json-report, as far as we read it.
type ginkgoSuite struct {
	SuiteDescription           string
	SuitePath                  string
	SuiteSucceeded             bool
	SpecialSuiteFailureReasons []string
	SpecReports                []ginkgoSpec
}

type ginkgoSpec struct {
	ContainerHierarchyTexts    []string
	LeafNodeType               string
	LeafNodeText               string
	State                      string
	RunTime                    time.Duration
	Failure                    ginkgoFailure
	CapturedGinkgoWriterOutput string
	ReportEntries              []ginkgoEntry
}

// A ginkgoEntry is what a spec measured or decided: AddReportEntry(name, value).
type ginkgoEntry struct {
	Name  string
	Value struct {
		Representation string
		AsJSON         string
	}
}

// lines is the entry as lines of a story: further lines of a value are indented.
func (e ginkgoEntry) lines() []string {
	value := strings.TrimSpace(cmp.Or(e.Value.Representation, e.Value.AsJSON))
	if value == "" {
		return []string{e.Name}
	}
	return strings.Split(e.Name+": "+strings.ReplaceAll(value, "\n", "\n  "), "\n")
}

type ginkgoFailure struct {
	Message  string
	Location struct {
		FileName   string
		LineNumber int
	}
}

// Scenarios reads a JSON report of Ginkgo. Every spec gives a result; a node
// that is not a spec (BeforeSuite, AfterSuite) gives one when it failed; a
// suite that failed or ran nothing gives one of its own, so that a crash before
// the first spec is not taken for success.
func Scenarios(r io.Reader, rerun func(title string) string) ([]spec.Result, error) {
	var suites []ginkgoSuite
	if err := json.NewDecoder(r).Decode(&suites); err != nil {
		return nil, fmt.Errorf("read ginkgo report: %w", err)
	}
	if len(suites) == 0 {
		return nil, fmt.Errorf("read ginkgo report: no suites")
	}
	var out []spec.Result
	for _, s := range suites {
		out = append(out, s.results(rerun)...)
	}
	return out, nil
}

func (s ginkgoSuite) results(rerun func(string) string) []spec.Result {
	var out []spec.Result
	specs, failed := 0, false
	for _, g := range s.SpecReports {
		isSpec := g.LeafNodeType == "It"
		r := g.result(s.SuiteDescription)
		if !isSpec && r.State.Counts() != spec.Failed {
			continue
		}
		if isSpec {
			specs++
		}
		failed = failed || r.State.Counts() == spec.Failed
		if rerun != nil && isSpec {
			r.Rerun = rerun(r.Case)
		}
		out = append(out, r)
	}
	if !failed && (specs == 0 || !s.SuiteSucceeded) {
		says := slices.Concat(s.SpecialSuiteFailureReasons, []string{fmt.Sprintf("%d specs ran", specs)})
		out = append(out, spec.Result{Case: s.SuiteDescription, Title: s.SuiteDescription + ": the suite runs", Level: spec.Must, State: spec.Broken, Says: says})
	}
	return out
}

func (g ginkgoSpec) result(suite string) spec.Result {
	title := strings.TrimSpace(strings.Join(append(slices.Clone(g.ContainerHierarchyTexts), g.LeafNodeText), " "))
	if title == "" {
		title = g.LeafNodeType
	}
	r := spec.Result{Case: title, Title: suite + ": " + title, Level: spec.Must, Took: g.RunTime, State: ginkgoState(g.State)}
	for _, e := range g.ReportEntries {
		r.Story = append(r.Story, e.lines()...)
	}
	r.Story = r.Story[:min(len(r.Story), spec.MaxStoryLines)]
	if r.State == spec.Pass {
		return r
	}
	if g.Failure.Message != "" {
		r.Says = strings.Split(strings.TrimSpace(g.Failure.Message), "\n")
	} else {
		r.Says = []string{"ginkgo says " + g.State}
	}
	if g.Failure.Location.FileName != "" {
		r.Evidence = []string{fmt.Sprintf("%s:%d", g.Failure.Location.FileName, g.Failure.Location.LineNumber)}
	}
	if lines := strings.Split(strings.TrimSpace(g.CapturedGinkgoWriterOutput), "\n"); r.State != spec.Skip && lines[0] != "" {
		r.Story = append(r.Story, lines[max(0, len(lines)-spec.MaxStoryLines):]...)
	}
	return r
}

// ginkgoState translates; a pending spec is one that somebody switched off
// without a ticket, so it is not a skip.
func ginkgoState(s string) spec.State {
	switch s {
	case "passed":
		return spec.Pass
	case "failed":
		return spec.Fail
	case "timedout":
		return spec.Fail
	case "skipped":
		return spec.Skip
	}
	return spec.Broken // panicked, interrupted, aborted, pending, or something new
}
