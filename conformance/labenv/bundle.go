package labenv

import (
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/topology"
)

// labName is the directory of a run in which its lab leaves what happened: logs of
// its processes, the history of all requests, and what it takes to read them as a
// run of a scenario is read.
const labName = "lab"

func (o upOrder) labDir() string { return filepath.Join(o.Out, labName, o.own()) }

func (o upOrder) bundle() *bundle.Bundle { return &bundle.Bundle{Dir: o.labDir()} }

// run is what is known of a run of cases when its lab is up.
func (o upOrder) run(begin time.Time, plan *topology.Plan, program string, m report.Machine) bundle.Run {
	return bundle.Run{
		Name: "conform", Started: begin.UTC(), Command: o.Rerun, Scenario: "conformance cases", Seed: plan.Seed, Topology: plan.Lab, Lab: plan.Lab,
		Commit: commit(), Digests: bundle.Digests{Plan: plan.Digest()}, Driver: o.Gateway, Binary: o.Binary,
		Ended:    "its process was lost", // until it says otherwise
		Gateways: []bundle.Gateway{{Driver: o.Gateway, Binary: program, SHA256: strings.TrimPrefix(digestOf(program), "sha256:")}}, Machine: bundle.Machine{Kernel: m.Kernel, CPUs: m.CPUs},
	}
}

// begun notes that a run has begun. Without the note only who looks a request up
// misses something.
func (w *worker) begun(r bundle.Run) {
	w.run = r
	if err := w.order.bundle().WriteYAML(bundle.RunFile, r); err != nil {
		w.say("note: " + err.Error())
	}
}

// keep saves what happened.
func (w *worker) keep(facts check.Facts, ended string) error {
	if w.run.Started.IsZero() {
		return nil // no lab was up
	}
	w.run.Ended = ended
	w.run.Took = time.Since(w.run.Started).Round(time.Millisecond).String()
	b := w.order.bundle()
	return errors.Join(w.rec.Snapshot().Save(b.Dir), b.WriteJSON(bundle.FactsFile, facts), b.WriteYAML(bundle.RunFile, w.run))
}
