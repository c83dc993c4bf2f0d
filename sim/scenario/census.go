package scenario

import (
	"context"
	"time"

	"github.com/unilb/unilb/sim/census"
	"github.com/unilb/unilb/sim/sandbox"
)

// settleLimit is how long what is about to go may take to go.
const settleLimit = 5 * time.Second

// counted is what is counted beside everything else, and what is ours.
func (j *Job) counted() census.Options {
	return census.Options{Files: []string{sandbox.Dir}, Own: []string{j.bundle.Dir}}
}

// countBefore writes down what this process and its sandbox hold before the lab.
func (j *Job) countBefore() {
	c, err := census.Take(j.counted())
	j.rec.Before(c)
	j.problemIf("census before", err)
	j.before = c
}

// countAfter writes down what they hold when the lab is down: sockets that the
// kernel closes and processes that are reaped get a moment to be gone.
func (j *Job) countAfter(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer cancel()
	c, err := census.Settle(ctx, j.before, j.counted())
	j.rec.After(c)
	j.problemIf("census after", err)
}
