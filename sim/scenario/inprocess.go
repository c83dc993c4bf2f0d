package scenario

import (
	"context"
	"time"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
)

// downLimit bounds the taking down of a lab.
const downLimit = 30 * time.Second

// Run does the whole job in this process, which must be in a sandbox, as a
// supervisor would: up, the scenario, down, the verdict. It returns the exit code.
func (j *Job) Run(ctx context.Context, o lab.Options, say func(any)) int {
	var l *lab.Lab
	err := j.Prepare(&o)
	if err == nil {
		l, err = lab.Up(ctx, j.s.Plan, o)
	}
	how := supervisor.Ended{Up: err}
	if err == nil {
		j.Work(ctx, l, say)
	}
	if l != nil {
		fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), downLimit)
		defer cancel()
		how.Down = l.Down(fresh)
	}
	return j.Finish(ctx, how, say)
}
