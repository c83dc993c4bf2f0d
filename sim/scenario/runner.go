package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/havoc"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/sim/traffic"
)

const (
	// drainLimit is how long the loads may take to end.
	drainLimit = 15 * time.Second
	// hurryLimit is how long they may when somebody has called the run off.
	hurryLimit = 2 * time.Second
)

// A runner carries out the steps of a scenario in a lab that is up.
type runner struct {
	s      *Scenario
	region *act.Region
	say    func(Line)

	services map[string]*act.Service
	changes  map[string]tenant.Operation // the last one of each service
	streams  map[string]*traffic.Stream
	faults   map[string]*fault.Active
	series   map[string]*series
	havocked havoc.Options // the last havoc that there was
	began    time.Duration // when the traffic began, on the run's clock
}

func newRunner(s *Scenario, r *act.Region, say func(Line)) *runner {
	return &runner{
		s: s, region: r, say: say, services: map[string]*act.Service{}, changes: map[string]tenant.Operation{},
		streams: map[string]*traffic.Stream{}, faults: map[string]*fault.Active{}, series: map[string]*series{},
	}
}

// A StepError is a step that did not come true.
type StepError struct {
	Step string // what it is called on the terminal
	Err  error
}

func (e *StepError) Error() string { return fmt.Sprintf("%s: %v", e.Step, e.Err) }
func (e *StepError) Unwrap() error { return e.Err }

// run publishes, sends and carries out the steps, until the first that fails. The
// loads still run when it returns.
func (r *runner) run(ctx context.Context) error {
	for _, svc := range r.s.File.Objects.Services {
		if svc.Later {
			continue
		}
		if err := r.step(ctx, Step{Publish: &svc.Name, Within: act.Bound}); err != nil {
			return err
		}
	}
	r.began = r.region.Recorder.Now()
	for _, l := range r.s.File.Traffic {
		if !l.Later {
			if err := r.begin(ctx, l); err != nil {
				return &StepError{"traffic " + l.Name, err}
			}
		}
	}
	for _, step := range r.s.File.Steps {
		if err := r.step(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// step waits for the time of a step, carries it out and says what came of it.
func (r *runner) step(ctx context.Context, s Step) error {
	now := r.region.Recorder.Now()
	if err := sleepUntil(ctx, max(r.began+s.At, now+s.After)-now); err != nil {
		return err
	}
	begun := r.region.Recorder.Now()
	name, what := s.title()
	if s.Say != "" {
		r.region.Note("step", "%s", s.Say)
	}
	bounded, cancel := context.WithTimeoutCause(ctx, s.Within+s.Wait.lasts(), &lateError{fmt.Sprintf("not within %s", s.Within)})
	defer cancel()
	text, err := r.do(bounded, s)
	at := r.region.Recorder.Now()
	if s.Say != "" {
		what = s.Say
	}
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.say(Line{Kind: LineFailed, Name: name, Text: fmt.Sprintf("%s: %v", what, err), At: at, Took: at - begun})
		return &StepError{name + ": " + what, err}
	}
	if text != "" {
		what += ": " + text
	}
	if s.As != "" && s.changes() {
		r.region.Recorder.Span(history.Span{Name: s.As, Window: history.Window{From: begun, To: at}})
	}
	r.say(Line{Kind: LineStep, Name: name, Text: what, At: at, Took: at - begun})
	return nil
}

// sleepUntil waits for the time at which a scenario wants something to happen.
func sleepUntil(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stop ends series and loads. The first error of a load is returned; all end. When
// ctx is done, now or meanwhile, requests under way are soon cut.
func (r *runner) stop(ctx context.Context) error {
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
	defer cancel()
	patient := context.AfterFunc(ctx, func() {
		hurry := time.NewTimer(hurryLimit)
		defer hurry.Stop()
		select {
		case <-hurry.C:
			cancel()
		case <-drain.Done():
		}
	})
	defer patient()
	var errs []error
	for _, s := range r.series {
		errs = append(errs, s.over(drain))
	}
	for _, l := range r.s.File.Traffic {
		if s := r.streams[l.Name]; s != nil {
			if _, err := s.Stop(drain); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// heal mends everything that is still broken, together: what one fault's revert
// waits for may be another fault's to give back.
func (r *runner) heal(ctx context.Context) error {
	return fault.HealAll(ctx, r.region.Lab.Active())
}
