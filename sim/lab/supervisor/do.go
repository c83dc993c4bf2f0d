package supervisor

import (
	"context"
	"errors"
	"time"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// downLimit bounds the taking down of a lab.
const downLimit = 30 * time.Second

// Do does a job in a lab of this process, which must be in a sandbox: Prepare, up,
// Work, down, Finish. Shown is given the lab when it is up. It returns the job's
// exit code and, when the job keeps its lab, that.
func Do(ctx context.Context, job Job, p *topology.Plan, o lab.Options, shown func(*lab.Lab), say func(any)) (code int, kept *lab.Lab) {
	var l *lab.Lab
	err := job.Prepare(&o)
	if err == nil {
		l, err = bringUp(ctx, p, o)
	}
	how := Ended{Up: err}
	if err == nil {
		shown(l)
		job.Work(ctx, l, say)
		if how.Kept = job.Keep() && ctx.Err() == nil; how.Kept {
			kept = l
		} else {
			how.Down = takeDown(l)
		}
	}
	return job.Finish(ctx, how, say), kept
}

// bringUp brings a lab up. The error is one line, and the reason when somebody
// called it off.
func bringUp(ctx context.Context, p *topology.Plan, o lab.Options) (*lab.Lab, error) {
	l, err := lab.Up(ctx, p, o)
	var missing *lab.Unavailable
	switch cause := context.Cause(ctx); {
	case err == nil:
		return l, nil
	case cause != nil:
		return nil, cause // it failed because it was called off
	case errors.As(err, &missing):
		return nil, missing
	default:
		return nil, err
	}
}

// takeDown takes a lab down, whatever has been called off.
func takeDown(l *lab.Lab) error {
	ctx, cancel := context.WithTimeout(context.Background(), downLimit)
	defer cancel()
	return l.Down(ctx)
}
