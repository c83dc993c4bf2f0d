package scenario

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/topology"
)

// Exit codes of a job, as lbsim documents them.
const (
	exitGood        = 0
	exitWrong       = 1
	exitUndecided   = 2
	exitMachine     = 4
	exitBroken      = 5
	exitInterrupted = 130
)

// An Order is everything that a job needs, wherever it runs.
type Order struct {
	Path     string   `json:"path"` // of the scenario, as given
	Text     []byte   `json:"text"`
	Topology []byte   `json:"topology,omitempty"` // text of the topology file; nil: one of the library
	Set      []string `json:"set,omitempty"`
	Seed     uint64   `json:"seed,omitempty"`
	Dir      string   `json:"dir"` // of the bundle; it exists
	Keep     bool     `json:"keep,omitempty"`
	// Run is what is known of the run before it begins.
	Run bundle.Run `json:"run"`
	// Rerun is the command that runs it again.
	Rerun string `json:"rerun"`
}

// Parse reads the scenario of the order.
func (o Order) Parse() (*Scenario, error) {
	return Parse(o.Path, o.Text, Options{Set: o.Set, Seed: o.Seed, Topology: func(name string, set []string) (*topology.Spec, error) {
		if o.Topology == nil {
			return topology.LoadLibrary(name, set...)
		}
		return topology.Parse(name, o.Topology, set...)
	}})
}

// A Job is one run of a scenario. It implements supervisor.Job.
type Job struct {
	order   Order
	s       *Scenario
	bundle  *bundle.Bundle
	gateway lab.GatewayFunc
	rec     *history.Recorder
	region  *act.Region // nil before the lab is up
	stolen  stopwatch
	before  history.Census
	failed  error // the step that did not come true
	// problems are the testbed's own.
	problems []string
	broken   bool // it panicked
}

var _ supervisor.Job = (*Job)(nil)

// NewJob prepares the run that an order describes. Gateway says how the gateway
// under test is started; nil: our own.
func NewJob(o Order, gateway lab.GatewayFunc) (*Job, error) {
	s, err := o.Parse()
	if err != nil {
		return nil, err
	}
	s.Plan.Lab = o.Run.Lab
	return &Job{order: o, s: s, bundle: &bundle.Bundle{Dir: o.Dir}, gateway: gateway, rec: history.NewRecorder(history.NewClock())}, nil
}

// Prepare implements supervisor.Job: it writes down what is to be done.
func (j *Job) Prepare(o *lab.Options) error {
	j.stolen.start()
	o.Recorder, o.Gateway, o.Dir = j.rec, j.gateway, j.bundle.Dir
	j.countBefore()
	return errors.Join(
		j.bundle.WriteYAML(bundle.RunFile, j.order.Run),
		j.bundle.WriteYAML(bundle.PlanFile, j.s.Plan),
		j.bundle.WriteText(bundle.ScenarioFile, string(j.order.Text)),
		j.bundle.WriteJSON(bundle.ChecksFile, j.s.File.Checks),
		j.writeTopology(),
	)
}

func (j *Job) writeTopology() error {
	if j.order.Topology == nil {
		return nil
	}
	return j.bundle.WriteText(bundle.TopologyFile, string(j.order.Topology))
}

// Work implements supervisor.Job: the scenario, then its evidence, then what was
// broken is mended.
func (j *Job) Work(ctx context.Context, l *lab.Lab, say func(any)) {
	defer func() {
		if p := recover(); p != nil {
			j.broken = true // Finish keeps what was seen
			j.problem("the testbed itself failed: %v\n%s", p, debug.Stack())
		}
	}()
	j.region = act.New(l)
	endSamples, err := j.sample(l)
	j.problemIf("evidence", err)
	r := newRunner(j.s, j.region, func(line Line) { say(line) })
	err = r.run(ctx)
	if err != nil {
		// Whatever happens while the loads drain, what was seen so far is kept.
		j.problemIf("evidence", j.save())
	}
	serr := r.stop(ctx)
	interrupted := ctx.Err() != nil
	if err == nil && serr != nil && !interrupted {
		// A path that is broken at the end makes the whole history doubtful.
		err = &StepError{"traffic", serr}
		say(Line{Kind: LineFailed, Name: "traffic", Text: serr.Error(), At: j.rec.Now()})
	}
	if !interrupted {
		j.settle(err)
		j.ended(l)
	}
	if endSamples != nil {
		j.problemIf("evidence", endSamples())
	}
	j.keepEvidence(ctx, l)
	fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), healLimit)
	defer cancel()
	if err := r.heal(fresh); err != nil {
		j.problem("heal: %v", err)
	}
	j.dumpStores(fresh)
}

// healLimit is how long mending everything may take.
const healLimit = 30 * time.Second

// settle says what a failed step means: something that this machine or lab cannot
// do, and something late on a machine that was hardly there, prove nothing.
func (j *Job) settle(err error) {
	var cannot *fault.Unavailable
	var late *lateError
	switch {
	case err == nil:
	case errors.As(err, &cannot):
		j.problem("%v", err)
	case errors.As(err, &late) && j.stolen.share() > maxStolen:
		j.problem("%v; but %.0f %% of the machine's time went to others", err, 100*j.stolen.share())
	default:
		j.failed = err
	}
}

func (j *Job) problem(format string, args ...any) {
	j.problems = append(j.problems, fmt.Sprintf(format, args...))
}

// Keep implements supervisor.Job.
func (j *Job) Keep() bool { return j.order.Keep }

// Finish implements supervisor.Job: it completes the evidence and judges it. An
// interrupt counts until the verdict is written.
func (j *Job) Finish(ctx context.Context, how supervisor.Ended, say func(any)) int {
	if !how.Kept {
		j.countAfter(ctx)
	}
	j.problemIf("take the lab down", how.Down)
	j.order.Run.Took = j.rec.Now().Round(time.Millisecond).String()
	j.order.Run.Machine.Stolen = j.stolen.share()
	j.problemIf("evidence", j.save())
	if odd := unasked(j.rec.Snapshot()); odd != "" && ctx.Err() == nil {
		j.problem("%s", odd)
	}
	verdicts := j.check(how.Up)
	code, interrupted := exitInterrupted, ctx.Err() != nil
	if interrupted {
		j.order.Run.Ended = context.Cause(ctx).Error()
		j.problem("%v", context.Cause(ctx))
	} else {
		code = j.codeOf(how)
	}
	j.problemIf("evidence", j.bundle.WriteYAML(bundle.RunFile, j.order.Run))
	v := j.sum(verdicts, interrupted)
	for _, err := range []error{j.bundle.WriteYAML(bundle.VerdictFile, v), j.bundle.Seal()} {
		if err != nil {
			j.problem("verdict: %v", err)
			v = j.sum(verdicts, interrupted)
		}
	}
	j.tell(v, say)
	if code >= 0 {
		return code
	}
	return ExitOf(v.Result)
}

func (j *Job) problemIf(what string, err error) {
	if err != nil {
		j.problem("%s: %v", what, err)
	}
}

// codeOf is the exit code of a run that did not come to its end; -1 when the
// verdict decides. A gateway that does not become ready is the gateway's failure.
func (j *Job) codeOf(how supervisor.Ended) int {
	var cannot *lab.Unavailable
	var notReady *proc.NotReady
	if j.broken {
		return exitBroken
	}
	if how.Up == nil {
		return -1
	}
	j.order.Run.Ended = how.Up.Error()
	switch {
	case errors.As(how.Up, &cannot):
		j.problem("%v", how.Up)
		return exitMachine
	case errors.As(how.Up, &notReady) && j.isGateway(notReady.Name):
		j.failed = how.Up
		return -1
	default:
		j.problem("%v", how.Up)
		return exitBroken
	}
}

// isGateway says whether a process is the gateway under test.
func (j *Job) isGateway(name string) bool {
	for _, n := range j.s.Plan.OfKind(topology.KindL7) {
		for _, p := range n.Processes {
			if p.Gateway && name == string(n.Ref)+"/"+p.Name {
				return true
			}
		}
	}
	return false
}

// ExitOf is the exit code that says a result.
func ExitOf(r bundle.Result) int {
	switch r {
	case bundle.Good:
		return exitGood
	case bundle.Wrong:
		return exitWrong
	default:
		return exitUndecided
	}
}
