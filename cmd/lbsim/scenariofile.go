package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/labenv"
	"github.com/unilb/unilb/scenarios/incidents"
	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/doctor"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/sim/scenario"
	"github.com/unilb/unilb/topology"
)

// read reads a scenario and its topology.
func read(name string, set []string, seed uint64) (scenario.Order, *scenario.Scenario, error) {
	order := scenario.Order{Set: set, Seed: seed}
	var err error
	if order.Text, order.Path, err = readScenario(name); err != nil {
		return order, nil, err
	}
	files := os.ReadFile
	if !topology.IsFile(name) {
		files = incidents.Files.ReadFile // what is beside it comes with the testbed, too
	}
	if order.Topology, err = readTopology(files, order.Path, order.Text); err != nil {
		return order, nil, err
	}
	s, err := order.Parse()
	if err != nil {
		return order, nil, inputOf(err)
	}
	return order, s, nil
}

// readScenario reads a scenario: a file, or one that comes with the testbed.
func readScenario(name string) (text []byte, path string, err error) {
	if topology.IsFile(name) {
		text, err = os.ReadFile(name)
		return text, name, err
	}
	text, err = incidents.Files.ReadFile(name + ".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		err = inputError(fmt.Errorf("no scenario %q; there are: %s, and paths of files", name, strings.Join(incidents.Names(), ", ")))
	}
	return text, name + ".yaml", err
}

// readTopology reads the topology of a scenario when that is a file beside it; the
// text is nil when it is one of the library.
func readTopology(files func(string) ([]byte, error), path string, text []byte) ([]byte, error) {
	name, err := scenario.TopologyOf(path, text)
	if err != nil {
		return nil, inputOf(err)
	}
	if !topology.IsFile(name) {
		return nil, nil
	}
	return files(filepath.Join(filepath.Dir(path), name))
}

// inputOf marks what is wrong with a file as the user's.
func inputOf(err error) error {
	if codeOf(context.Background(), err) != codeBroken {
		return err
	}
	return inputError(err)
}

// runOf is what is known of a run before it begins. The gateway's program must be
// there.
func runOf(o *runOptions, order *scenario.Order, s *scenario.Scenario) (bundle.Run, error) {
	digests, err := s.Digests()
	if err != nil {
		return bundle.Run{}, err
	}
	r := bundle.Run{
		Name: s.File.Scenario, Started: time.Now().UTC(), Command: os.Args, Scenario: order.Path, Seed: s.Seed,
		Topology: s.File.Topology, Set: order.Set, Lab: o.name, Digests: digests, Machine: machineOf(), Driver: o.driver, Binary: o.binary,
	}
	_, r.Commit = build()
	if r.Lab == "" {
		r.Lab = s.Plan.Lab + "-" + strconv.Itoa(os.Getpid()) // no other run of this machine has it
	}
	for _, driver := range driversOf(s.Plan, o.driver) {
		g := bundle.Gateway{Driver: driver}
		if g.Binary, err = labenv.Program(driver, o.binary, o.bin); err != nil {
			return r, inputOf(err)
		}
		if g.SHA256, err = digestOf(g.Binary); err != nil {
			return r, &lab.MissingBinaries{Dir: filepath.Dir(g.Binary), Names: []string{filepath.Base(g.Binary)}}
		}
		r.Gateways = append(r.Gateways, g)
	}
	return r, nil
}

// driversOf are the drivers of a plan's gateways, each once; one that was asked for
// takes the place of all.
func driversOf(p *topology.Plan, asked string) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range p.Nodes {
		for _, q := range n.Processes {
			d := q.Driver
			if asked != "" {
				d = asked
			}
			if q.Gateway && !seen[d] {
				seen[d] = true
				out = append(out, d)
			}
		}
	}
	return out
}

func digestOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

func machineOf() bundle.Machine {
	m := bundle.Machine{Kernel: doctor.Kernel(), CPUs: runtime.NumCPU()}
	for _, c := range []string{sandbox.CapRoot, sandbox.CapTUN} {
		if sandbox.Probe(c) == nil {
			m.Has = append(m.Has, c)
		} else {
			m.Lacks = append(m.Lacks, c)
		}
	}
	return m
}
