package scenario

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

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
	if _, errs := format.Decode(name, text, &first); errs.Err() != nil {
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
	chosen, err := s.choose(first.Pick)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.File = &File{}
	src, errs := format.Decode(name, chosen, s.File)
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

// choose puts the nodes that the seed chooses in the place of their names.
func (s *Scenario) choose(picks []Pick) ([]byte, error) {
	text := string(s.Text)
	rng := rand.New(rand.NewPCG(s.Seed, 0x7069636b)) // "pick": a stream of its own
	for _, p := range picks {
		if err := p.Of.Check(); err != nil {
			return nil, fmt.Errorf("pick.%s: %w", p.Name, err)
		}
		nodes := s.Plan.Select(p.Of)
		if len(nodes) == 0 {
			return nil, fmt.Errorf("pick.%s: no node is selected by %q", p.Name, p.Of)
		}
		ref := nodes[rng.IntN(len(nodes))].Ref
		text = strings.ReplaceAll(text, "$"+p.Name, string(ref))
	}
	return []byte(text), nil
}
