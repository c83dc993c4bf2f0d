package labenv

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/sim/sandbox"
)

// WorkCommand is the argument by which a program of this package's caller must call
// Work, and nothing else: Run and Compare start it so.
const WorkCommand = "work"

// downTimeout is how long taking the lab down may take.
const downTimeout = 30 * time.Second

// ordersFile is the descriptor on which a worker gets its orders.
const ordersFile = 3

// A worker owns a lab inside a sandbox and runs cases in it, one after another, as
// it is told. It does one thing at a time.
type worker struct {
	order    upOrder
	run      bundle.Run
	manifest *driver.Manifest
	lab      *lab.Lab
	env      *Env
	rec      *history.Recorder
	suite    suite.Options
	states   map[int]map[string]spec.State // by round and case
	latest   map[string]spec.State         // by case
	dead     string                        // the row that says why there is no gateway to judge; "" while there is
	deaths   []string                      // of gateways, one line each
	excused  []string                      // deaths in cases that the gateway does not claim
	mute     muteness
	say      func(string)
}

// Work carries out orders until the socket ends, and returns the exit code of the
// process.
func Work(ctx context.Context) (int, error) { return work(ctx, func(order) {}) }

// work tells before each order what it is.
func work(ctx context.Context, before func(order)) (int, error) {
	if !sandbox.Inside() {
		return ExitBadInput, errors.New("this is a part of lbsim that other parts start")
	}
	conn := os.NewFile(ordersFile, "orders")
	orders, replies := json.NewDecoder(conn), json.NewEncoder(conn)
	w := &worker{rec: history.NewRecorder(history.NewClock()), states: map[int]map[string]spec.State{}, latest: map[string]spec.State{}}
	w.say = func(line string) { _ = replies.Encode(reply{Line: line}) } // whoever does not listen any more ends us
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			if w.lab != nil {
				_ = w.down(ctx) // nobody is left to be told
			}
			if errors.Is(err, io.EOF) {
				return ExitGood, nil
			}
			return ExitBroken, fmt.Errorf("read orders: %w", err)
		}
		before(o)
		if err := replies.Encode(w.carryOut(ctx, o)); err != nil {
			return ExitBroken, fmt.Errorf("reply: %w", err)
		}
	}
}

// carryOut does what one order says.
func (w *worker) carryOut(ctx context.Context, o order) reply {
	switch {
	case o.Up != nil:
		return w.up(ctx, *o.Up)
	case o.Case != nil:
		r, s := w.judge(ctx, *o.Case)
		return reply{Result: &r, Seen: s, Notes: &notes{Deaths: w.deaths, Excused: w.excused, Cut: w.mute.cut}}
	case o.Load != nil:
		return w.load(ctx, *o.Load)
	case o.Ask != "":
		r := reply{Result: w.answer(ctx, o.Ask)}
		if o.Ask == askLife && w.lab != nil {
			r.Used = w.used()
		}
		return r
	case o.Down:
		return refused(ExitUndecided, w.down(ctx))
	}
	return refused(ExitUndecided, errors.New("an order that says nothing"))
}

func refused(code int, err error) reply {
	if err == nil {
		return reply{}
	}
	return reply{Refused: &refusal{Code: code, Text: err.Error()}}
}

// up brings the lab up. A gateway that does not start is a result, not a refusal:
// the cases that follow are then answered at once.
func (w *worker) up(ctx context.Context, o upOrder) reply {
	w.order = o
	if n := o.Notes; n != nil {
		w.deaths, w.excused, w.mute.cut = n.Deaths, n.Excused, n.Cut
		maps.Copy(w.states, n.States)
		maps.Copy(w.latest, n.Latest)
	}
	m, err := loadDriver(o.Gateway)
	if err != nil {
		return refused(ExitBadInput, err)
	}
	w.manifest = m
	plan, lacks, err := planFor(cmp.Or(o.Topology, m.Topology))
	if err != nil {
		return refused(ExitBadInput, err)
	}
	program, err := m.Locate(o.BinDir, o.Binary)
	if err != nil {
		return refused(ExitMachine, err)
	}
	selected := slices.DeleteFunc(cases.All(), func(c spec.Case) bool { return !slices.Contains(o.Cases, c.ID) })
	if err := possible(o.Scenarios, lacks, selected); err != nil {
		return refused(ExitMachine, err)
	}
	fleet := newFleet(m, plan, program)
	begin := time.Now()
	w.begun(o.run(begin, plan, program, report.Machine{})) // also of a lab that does not come up there is something to look at
	w.say("up " + plan.Lab)
	l, err := lab.Up(ctx, plan, lab.Options{
		BinDir: o.BinDir, Dir: o.labDir(), Recorder: w.rec, Gateway: fleet.command, AdminArgs: m.Admin.Args,
		Progress: func(s lab.Step) {
			w.say(fmt.Sprintf(" ✓ %-10s %-60s %7s", s.Name, s.Text, s.Took.Round(time.Millisecond)))
		},
	})
	took := time.Since(begin)
	p := &place{Run: report.Run{Topology: plan.Lab, TopologyDigest: "sha256:" + plan.Digest(), Seed: plan.Seed, Up: took}}
	w.suite = suite.Options{
		Claims: m.Claims, Require: required(o.Require), Excluded: o.Excluded, Challenge: o.Challenge,
		Evidence: filepath.Join(o.Out, "evidence"), Rerun: o.rerun,
	}
	if err != nil {
		return w.notUp(p, took, err)
	}
	w.say("up in " + took.Round(time.Millisecond).String())
	w.lab, w.env = l, newEnv(l, fleet)
	p.Machine = machine(w.env)
	w.begun(o.run(begin, plan, program, p.Machine))
	r := aboutGateway(startRow, took)
	return reply{Place: p, Result: &r}
}

// notUp tells a gateway that did not start from a lab that did not.
func (w *worker) notUp(p *place, took time.Duration, err error) reply {
	var cannot *lab.Unavailable
	var late *proc.NotReady
	switch {
	case errors.As(err, &cannot):
		return refused(ExitMachine, err)
	case errors.As(err, &late) && isGateway(late.Name):
		p.Machine = machine(nil)
		r := aboutGateway(startRow, took, strings.Split(late.Error(), "\n")...)
		w.dead = startRow
		return reply{Place: p, Result: &r}
	}
	return refused(ExitUndecided, err)
}

// required are the capabilities whose lack is a failure.
func required(names []string) []spec.Capability {
	var out []spec.Capability
	for _, r := range names {
		out = append(out, spec.Capability(r))
	}
	if slices.Contains(names, sandbox.CapEBPF) {
		out = append(out, spec.Region, spec.VPC) // what a lab without eBPF does not have
	}
	return out
}

// down takes the lab down and saves the evidence.
func (w *worker) down(ctx context.Context) error {
	ended := ""
	if ctx.Err() != nil {
		ended = "interrupted"
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downTimeout)
	defer cancel()
	var err error
	var facts check.Facts
	if w.lab != nil {
		facts = w.env.Facts()
		err = errors.Join(w.env.Close(), w.lab.Down(ctx))
		w.lab = nil
	}
	return errors.Join(err, w.keep(facts, ended))
}
