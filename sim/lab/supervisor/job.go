package supervisor

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/unilb/unilb/sim/lab"
)

// A Job is what a supervisor does with its lab by itself, beside serving clients:
// the run of a scenario. Its calls do not overlap.
type Job interface {
	// Prepare runs before the lab is built and completes its options. The lab is
	// not built when it fails, and Finish is called.
	Prepare(*lab.Options) error
	// Work runs when the lab is up. When ctx is done it brings what it has to
	// safety and returns. Say sends a line to the client that started the job.
	Work(ctx context.Context, l *lab.Lab, say func(any))
	// Keep reports whether the lab is to stay up after Work.
	Keep() bool
	// Finish runs last, when the lab is down or was never up, and returns the
	// exit code of the job. A lab that is kept is not down then. Ctx, as that of
	// Work, is done when somebody calls the job off, also while Finish goes on: its
	// cause says who.
	Finish(ctx context.Context, how Ended, say func(any)) int
}

// Ended says how a lab ended under a job.
type Ended struct {
	Up   error // why it did not come up
	Down error // why it was not taken down completely
	Kept bool
}

// A JobFunc makes a job of what Run was given.
type JobFunc func(order json.RawMessage) (Job, error)

// errInterrupted ends a job whose client went away or was interrupted.
var errInterrupted = errors.New("interrupted")

// makeJob makes the job of an order; nil when it has none.
func makeJob(jobs JobFunc, order json.RawMessage) (Job, error) {
	switch {
	case len(order) == 0:
		return nil, nil
	case jobs == nil:
		return nil, errors.New("this program runs no jobs")
	default:
		return jobs(order)
	}
}
