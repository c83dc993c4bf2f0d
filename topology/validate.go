package topology

import "github.com/unilb/unilb/topology/strict"

// Validate says whether the Spec can become a Plan: names, numbers, references,
// addresses. It returns all problems at once as Errors. A count or text that is
// zero counts as its default.
func (s *Spec) Validate() error {
	_, err := s.complete()
	return err
}

// complete is a valid copy whose defaults are filled in.
func (s *Spec) complete() (*Spec, error) {
	c := s.clone()
	strict.Fill(c, c.src)
	report := c.src.Report(nil)
	report.Limits(c)
	return c, c.problems(report)
}

// problems adds to the report what tags cannot say about a Spec whose defaults
// are filled in.
func (s *Spec) problems(report *strict.Report) error {
	c := &checker{Report: report, spec: s, src: s.src}
	c.names()
	c.references()
	c.wires()
	c.addresses()
	c.overlaps()
	c.sizes()
	return c.Err()
}

// A checker collects the problems of a Spec.
type checker struct {
	*strict.Report
	spec *Spec
	src  *strict.Source
}
