package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	Skipped *junitMessage `xml:"skipped"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the report for CI: a suite for each profile, one for the scenarios,
// and one for what kept the run from being complete, if anything did.
func (r *Report) JUnit(w io.Writer) error {
	var out junitSuites
	groups := map[string][]spec.Result{}
	var order []string
	add := func(name string, res spec.Result) {
		if _, ok := groups[name]; !ok {
			order = append(order, name)
		}
		groups[name] = append(groups[name], res)
	}
	for _, res := range r.Cases {
		add(res.Profile, res)
	}
	for _, res := range r.Scenarios {
		add("SCENARIOS", res)
	}
	if len(r.Problems) > 0 {
		add("RUN", spec.Result{Case: "RUN-COMPLETE", Title: "Nothing kept the run from being complete.", State: spec.Broken, Says: r.Problems})
	}
	for _, name := range order {
		out.Suites = append(out.Suites, r.junitSuite(name, groups[name]))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (r *Report) junitSuite(name string, results []spec.Result) junitSuite {
	s := junitSuite{Name: name, Tests: len(results), Properties: []junitProperty{
		{"gateway", r.Gateway.Name}, {"version", r.Gateway.Version}, {"binary", r.Gateway.Binary},
		{"suite", r.Suite.Version}, {"commit", r.Suite.Commit}, {"cases", r.Suite.Cases},
		{"seed", strconv.FormatUint(r.Run.Seed, 10)}, {"topology", r.Run.Topology}, {"topology-digest", r.Run.TopologyDigest},
		{"machine", fmt.Sprintf("Linux %s %s, %d CPUs", r.Machine.Kernel, r.Machine.Arch, r.Machine.CPUs)},
		{"verdict", r.Verdict}, {"rerun", r.Run.Command},
	}}
	var total float64
	for _, res := range results {
		c := junitCase{Class: string(res.Feature), Name: res.Case, Time: seconds(res.Took.Seconds())}
		total += res.Took.Seconds()
		m := &junitMessage{Message: first(res), Text: text(res)}
		switch {
		case res.Counts() == spec.Skipped:
			c.Skipped = &junitMessage{Message: skipped(res)}
			if res.Quarantine != nil {
				c.Out = text(res) // it ran
			}
			s.Skipped++
		case res.State == spec.Fail:
			c.Failure = m
			s.Failures++
		case res.Counts() == spec.Failed:
			c.Error = m
			s.Errors++
		case res.State == spec.Warn:
			c.Out = text(res)
		}
		s.Cases = append(s.Cases, c)
	}
	s.Time = seconds(total)
	return s
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }

// skipped is the typed reason before everything else.
func skipped(res spec.Result) string {
	switch {
	case res.Quarantine != nil:
		return fmt.Sprintf("quarantined: %s (%s)", quarantined(*res.Quarantine), res.State)
	case res.Reason != nil:
		return string(res.Reason.Code) + ": " + because(*res.Reason)
	}
	return first(res)
}

func first(res spec.Result) string {
	switch {
	case len(res.Says) > 0:
		return res.Says[0]
	case res.Reason != nil:
		return because(*res.Reason)
	}
	return string(res.State)
}

func text(res spec.Result) string {
	lines := slices.Concat([]string{fmt.Sprintf("%s: %s", res.State, res.Title)}, res.Says, res.Story)
	if res.Rerun != "" {
		lines = append(lines, "again: "+res.Rerun)
	}
	return strings.Join(lines, "\n")
}
