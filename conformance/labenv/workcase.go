package labenv

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/topology"
)

// lastWords is how much of the log of a gateway that died a result quotes, in bytes.
const lastWords = 2048

// judge runs one case once. A gateway that dies in it fails the case and is started
// again for the next one.
func (w *worker) judge(ctx context.Context, o caseOrder) (spec.Result, *compare.Seen) {
	c, ok := caseOf(o.ID)
	if !ok {
		return spec.Result{Case: o.ID, Level: spec.Must, State: spec.Broken, Says: []string{"there is no such case"}}, nil
	}
	if w.dead != "" {
		return w.unproven(c), nil
	}
	if w.states[o.Round] == nil {
		w.states[o.Round] = map[string]spec.State{}
	}
	limit := w.mute.limit()
	r, seen := w.once(ctx, c, o, limit)
	if limit > 0 && w.mute.limit() == 0 && outcome(r) != spec.Pass && w.dead == "" && ctx.Err() == nil {
		w.env.expect(0)
		r, seen = w.once(ctx, c, o, 0) // it speaks again: the case gets all of its time
	}
	w.states[o.Round][c.ID] = outcome(r)
	w.latest[c.ID] = outcome(r)
	return r, seen
}

// once runs a case within its own limit, or a shorter one.
func (w *worker) once(ctx context.Context, c spec.Case, o caseOrder, limit time.Duration) (spec.Result, *compare.Seen) {
	so := w.suite
	so.Nonce, so.AtMost = fmt.Sprintf("n%d", o.Round), cmp.Or(limit, w.order.CaseLimit)
	if limit > 0 {
		so.Nonce += "short" // it may be run again
		w.env.expect(lateAtMost)
	}
	if o.Round > 0 { // each keeps its own: the report speaks of one of them
		so.Evidence = filepath.Join(so.Evidence, fmt.Sprintf("round-%d", o.Round+1))
	}
	own := compare.Own{Round: o.Round, ID: suite.RunID(c.ID, so.Nonce), Port: portsOf(c.ID, o.Round)}
	w.env.portsFrom(own.Port)
	w.revive(ctx, nil, w.env.processes()) // one that died between two cases
	before, mark := w.env.processes(), w.rec.Mark()
	r := suite.One(ctx, w.env, c, so, w.before(o.Round))
	if limit > 0 && ran(&r) && outcome(r) != spec.Pass {
		w.mute.note(&r)
	}
	h := w.rec.Since(mark)
	w.mute.heard(h.Ops, w.env.isData)
	w.revive(ctx, &r, before)
	seen := compare.Observe(h, own, r)
	return r, &seen
}

func caseOf(id string) (spec.Case, bool) {
	all := cases.All()
	i := slices.IndexFunc(all, func(c spec.Case) bool { return c.ID == id })
	if i < 0 {
		return spec.Case{}, false
	}
	return all[i], true
}

// outcome is what became of a case, claimed or not.
func outcome(r spec.Result) spec.State {
	if r.Challenge != "" {
		return r.Challenge
	}
	return r.State
}

// unproven is the result of a case for which there is no gateway.
func (w *worker) unproven(c spec.Case) spec.Result {
	return spec.Result{
		Case: c.ID, Title: c.Title, Level: c.Level, Profile: spec.ProfileOf(c), Feature: c.Needs[0], Blocking: spec.Blocking(c), Refs: c.Refs,
		State: spec.Unproven, Reason: &spec.Reason{Code: spec.After, Case: w.dead}, Says: []string{"not run: there is no gateway any more"}, Rerun: w.order.rerun(c.ID),
	}
}

// portsEach is how many ports the backends of a case have for themselves.
const portsEach = 16

// portsOf is where the ports of a round of a case begin: a function of these two, so
// that two builds see the same addresses whatever else was run.
func portsOf(id string, round int) uint16 {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s/%d", id, round)
	return lowestPort + uint16(h.Sum32()%((highestPort-lowestPort)/portsEach))*portsEach
}

// processes are those of the gateways, by node; nil where none was started.
func (e *Env) processes() map[topology.Ref]*proc.Process {
	out := map[topology.Ref]*proc.Process{}
	for _, g := range e.Gateways() {
		if n, err := e.lab.Node(g.Ref); err == nil {
			out[g.Ref], _ = n.Proc(topology.ProcGateway)
		}
	}
	return out
}

// ended says that a gateway's process has ended, and how; nil while it runs.
func (e *Env) ended(ref topology.Ref) error {
	n, err := e.lab.Node(ref)
	if err != nil {
		return err
	}
	p, err := n.Proc(topology.ProcGateway)
	if err != nil || p.Running() {
		return err
	}
	return fmt.Errorf("%s has ended: %s", ref, p.Exit())
}

func isGateway(process string) bool { return strings.HasSuffix(process, "/"+topology.ProcGateway) }

// revive starts gateways again that died since before, and says so in the result
// of the case in which it happened. One that somebody else started again was ended
// on purpose. When a gateway cannot be started again there is nothing to judge any
// more.
func (w *worker) revive(ctx context.Context, r *spec.Result, before map[topology.Ref]*proc.Process) {
	within, cancel := context.WithTimeout(ctx, reviveTimeout)
	defer cancel()
	for _, g := range w.env.Gateways() {
		p := before[g.Ref]
		n, err := w.env.lab.Node(g.Ref)
		if err != nil || p == nil || p.Running() {
			continue
		}
		if now, err := n.Proc(topology.ProcGateway); err != nil || now != p {
			continue
		}
		w.mourn(r, g.Ref, p)
		if err := w.restart(within, n); err != nil && ctx.Err() == nil {
			w.deaths = append(w.deaths, fmt.Sprintf("%s cannot be started again: %v", g.Ref, err))
			w.dead = lifeRow
			return
		}
		w.say(fmt.Sprintf("%s had ended (%s) and was started again", g.Ref, p.Exit()))
	}
}

// ran says whether a case was run at all: what is only answered takes no time.
func ran(r *spec.Result) bool { return r.Took > 0 }

// mourn notes the end of a gateway. A case that was not run has not killed it.
func (w *worker) mourn(r *spec.Result, ref topology.Ref, p *proc.Process) {
	if r == nil || !ran(r) {
		w.deaths = append(w.deaths, fmt.Sprintf("%s ended between two cases: %s", ref, p.Exit()))
		return
	}
	note := fmt.Sprintf("%s ended in %s: %s", ref, r.Case, p.Exit())
	says := []string{fmt.Sprintf("%s ended while this case ran: %s", ref, p.Exit())}
	if log := p.Tail(lastWords); log != "" {
		says = append(says, "its last lines:")
		for line := range strings.Lines(log) {
			says = append(says, "  "+strings.TrimRight(line, "\n"))
		}
	}
	r.Says = append(says, r.Says...)
	r.Evidence = append(r.Evidence, p.LogPath())
	switch {
	case r.Challenge != "":
		r.Challenge = spec.Fail
		w.excused = append(w.excused, note+", which it does not claim")
	case r.Reason != nil && r.Reason.Code == spec.Interrupted:
		// An interrupted case accuses nobody.
	default:
		r.State, r.Reason = spec.Fail, nil
		w.deaths = append(w.deaths, note)
	}
}

// reviveTimeout is how long starting gateways again may take, all of them.
const reviveTimeout = time.Minute

// maxRestarts is how often a gateway may die in one run.
const maxRestarts = 100

func (w *worker) restart(ctx context.Context, n *lab.Node) error {
	if len(w.deaths)+len(w.excused) > maxRestarts {
		return fmt.Errorf("it has ended %d times", maxRestarts)
	}
	return n.Restart(ctx, topology.ProcGateway)
}

// before is what became of the cases that a case of this round may build on. One
// that did not run in this round counts as it ended last: a comparison runs some
// cases more often than others.
func (w *worker) before(round int) map[string]spec.State {
	states := maps.Clone(w.latest)
	maps.Copy(states, w.states[round])
	return states
}
