package scenario

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"

	"github.com/unilb/unilb/topology"
	"github.com/unilb/unilb/topology/strict"
)

// format is what a scenario file is called in messages.
var format = strict.Format{Name: "scenario", Begin: "scenario: <name>"}

// A Scenario is a file that has been read together with its topology.
type Scenario struct {
	File *File
	Plan *topology.Plan
	Seed uint64
	Path string // as given to Parse
	Text []byte // as it was read
}

// Options say how a scenario is read. Topology is required.
type Options struct {
	// Topology loads what the scenario names, with the overrides.
	Topology func(name string, set []string) (*topology.Spec, error)
	Set      []string // overrides of the topology, after the file's own
	Seed     uint64   // 0: the file's
}

// Parse reads a scenario with its topology. What is wrong comes as strict.Errors,
// all of it; a topology that cannot be read or planned has errors of its own.
func Parse(name string, text []byte, o Options) (*Scenario, error) {
	var first File
	src, errs := format.Decode(name, text, &first)
	if errs.Err() != nil {
		return nil, errs.Err()
	}
	spec, err := o.Topology(first.Topology, append(slices.Clone(first.Set), o.Set...))
	if err != nil {
		return nil, fmt.Errorf("topology of %s: %w", name, err)
	}
	s := &Scenario{Path: name, Text: text, Seed: o.Seed}
	if s.Seed == 0 {
		s.Seed = first.Seed
	}
	if s.Seed == 0 {
		s.Seed = spec.Seed
	}
	spec.Seed = s.Seed // MACs and wires follow from it, too
	if s.Plan, err = spec.Plan(); err != nil {
		return nil, fmt.Errorf("topology of %s: %w", name, err)
	}
	picks := src.Report(nil)
	chosen := s.choose(first.Pick, picks)
	if err := picks.Err(); err != nil {
		return nil, err
	}
	s.File = &File{}
	src, errs = format.Decode(name, chosen, s.File)
	report := src.Report(errs)
	c := &checker{Scenario: s, report: report}
	c.all()
	if err := report.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// begins is the first line of a file that is neither empty nor a comment.
var begins = regexp.MustCompile(`(?m)^[ \t]*[^#\s].*$`)

// IsScenario says whether a text means to be a scenario: its first key is.
func IsScenario(text []byte) bool { return bytes.HasPrefix(begins.Find(text), []byte("scenario:")) }

// TopologyOf is the topology that a scenario names, as it is written.
func TopologyOf(name string, text []byte) (string, error) {
	var f File
	if _, errs := format.Decode(name, text, &f); errs.Err() != nil {
		return "", errs.Err()
	}
	return f.Topology, nil
}

// variable is how the text names a chosen node.
var variable = regexp.MustCompile(`\$[a-z][a-z0-9-]*`)

// choose puts the nodes that the seed chooses in the place of their names. What
// names no pick is left as it is: it may be text.
func (s *Scenario) choose(picks []Pick, report *strict.Report) []byte {
	rng := rand.New(rand.NewPCG(s.Seed, 0x7069636b)) // "pick": a stream of its own
	chosen := map[string]topology.Ref{}
	for _, p := range picks {
		at := "pick." + p.Name
		if err := p.Of.Check(); err != nil {
			report.Fail(at, "%v", err)
			continue
		}
		nodes := s.Plan.Select(p.Of)
		if len(nodes) == 0 {
			report.Fail(at, "no node of %s is selected by %q", s.Plan.Lab, strict.Shorten(string(p.Of)))
			continue
		}
		if !variable.MatchString("$"+p.Name) || variable.FindString("$"+p.Name) != "$"+p.Name {
			report.Fail(at, "pick %q: want a-z, 0-9 and \"-\", a letter first", strict.Shorten(p.Name))
			continue
		}
		chosen[p.Name] = nodes[rng.IntN(len(nodes))].Ref
	}
	return variable.ReplaceAllFunc(s.Text, func(name []byte) []byte {
		if ref, ok := chosen[string(name[1:])]; ok {
			return []byte(ref)
		}
		return name
	})
}
