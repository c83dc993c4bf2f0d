package scenario

import (
	"context"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
)

// Run does the whole job in this process, which must be in a sandbox, as a
// supervisor would. It returns the exit code. The lab is never kept.
func (j *Job) Run(ctx context.Context, o lab.Options, say func(any)) int {
	j.order.Keep = false
	code, _ := supervisor.Do(ctx, j, j.s.Plan, o, func(*lab.Lab) {}, say)
	return code
}
