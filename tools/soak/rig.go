package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/census"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/sandbox"
)

// How long things may take. A lab of hello is down in a tenth of a second and up in
// one; the rest is for a busy machine.
const (
	leftLimit = 15 * time.Second // until nothing is left
	endLimit  = 90 * time.Second // until a command that was not killed has ended
)

// labName is what every lab is called here: also a name must be free again.
const labName = "hello"

//go:embed run.yaml
var scenarioText []byte

// A rig is where lbsim is killed: a registry and temporary files of its own, and
// what belongs to others beside it.
type rig struct {
	bin, dir string
	env      []string
	foreign  *foreign
	was      []string       // what foreign looked like
	before   history.Census // what was there
	sockets  []string
	pids     []int
	runs     []string // directories of runs that have been looked at
}

func newRig(bin, dir string) (*rig, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(bin, "lbsim")); err != nil {
		return nil, fmt.Errorf("%w; build it with: make build", err)
	}
	r := &rig{bin: bin, dir: dir}
	for _, d := range []string{r.tmp(), r.run(), r.out(), r.runsDir()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(r.scenario(), scenarioText, 0o600); err != nil {
		return nil, err
	}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "LBSIM_") {
			r.env = append(r.env, v)
		}
	}
	r.env = append(r.env, "XDG_RUNTIME_DIR="+r.run(), "TMPDIR="+r.tmp(), "UNILB_BIN="+bin)
	if r.foreign, err = newForeign(r.tmp(), r.run()); err != nil {
		return nil, err
	}
	return r, r.remember()
}

func (r *rig) tmp() string      { return filepath.Join(r.dir, "tmp") }
func (r *rig) run() string      { return filepath.Join(r.dir, "run") }
func (r *rig) out() string      { return filepath.Join(r.dir, "out") }
func (r *rig) runsDir() string  { return filepath.Join(r.dir, "runs") }
func (r *rig) scenario() string { return filepath.Join(r.dir, "run.yaml") }

func (r *rig) close() {
	_ = r.startOver()
	_ = r.foreign.close() // the sandbox ends with all of it
}

// remember looks at everything before the first command.
func (r *rig) remember() error {
	all, err := processes()
	if err != nil {
		return err
	}
	for _, p := range all {
		r.pids = append(r.pids, p.pid)
	}
	if r.was, err = r.foreign.look(); err != nil {
		return err
	}
	if r.sockets, err = sockets(); err != nil {
		return err
	}
	r.before, err = census.Take(r.counted())
	return err
}

func (r *rig) counted() census.Options {
	return census.Options{Files: []string{r.tmp(), r.run(), sandbox.Dir}, Own: []string{r.out(), r.runsDir()}}
}

// startOver takes down what a failed round has left.
func (r *rig) startOver() error {
	f, err := familyOf(r.pids)
	if err == nil && f.first != 0 {
		err = kill(f.first)
	}
	_, _, lerr := r.lbsim(0, "list")
	_, werr := until(func() (bool, error) { left, err := r.left(false); return len(left) == 0, err })
	return errors.Join(err, lerr, werr, r.remember())
}
