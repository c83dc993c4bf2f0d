package scenario

import (
	"errors"
	"fmt"
	"testing"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
	"github.com/unilb/unilb/sim/proc"
)

// busyMachine is a stopwatch that finds half of the time stolen.
func busyMachine(t *testing.T) stopwatch {
	t.Helper()
	steal, all := cpuTime()
	s := stopwatch{steal: steal - all/2} // below zero, as counters are: the difference is right
	if got := s.share(); got < maxStolen {
		t.Fatalf("share of stolen time: got %.2f, want half", got)
	}
	return s
}

func TestFailedStepsMeanWhatTheirReasonProves(t *testing.T) {
	quiet := stopwatch{}
	quiet.start()
	cannot := &StepError{"inject", fmt.Errorf("no: %w", &fault.Unavailable{Fault: "rate-limit", Why: "no tbf", Machine: true})}
	late := &StepError{"wait", fmt.Errorf("steady: %w", &lateError{"not within 15s"})}
	for name, c := range map[string]struct {
		err             error
		stolen          stopwatch
		failed, problem bool
	}{
		"nothing failed":                        {nil, busyMachine(t), false, false},
		"the machine cannot":                    {cannot, quiet, false, true},
		"late":                                  {late, quiet, true, false},
		"late on a machine that was not there":  {late, busyMachine(t), false, true},
		"wrong on a machine that was not there": {&StepError{"exec", errors.New("exit code 1")}, busyMachine(t), true, false},
	} {
		j := &Job{stolen: c.stolen}
		j.settle(c.err)
		if (j.failed != nil) != c.failed || (len(j.problems) > 0) != c.problem {
			t.Errorf("%s: got failed %v and problems %q, want failed %t, a problem %t", name, j.failed, j.problems, c.failed, c.problem)
		}
	}
}

func TestRunsThatDoNotComeToTheirEndHaveCodesOfTheirOwn(t *testing.T) {
	notReady := func(name string) error {
		return fmt.Errorf("up: %w", &proc.NotReady{Name: name, Err: errors.New("late")})
	}
	for name, c := range map[string]struct {
		how             supervisor.Ended
		code            int
		failed, problem bool
	}{
		"to its end":              {supervisor.Ended{}, -1, false, false},
		"the machine cannot":      {supervisor.Ended{Up: &lab.Unavailable{Lab: "x", Lacks: "ebpf", Why: errors.New("no")}}, exitMachine, false, true},
		"the gateway is not well": {supervisor.Ended{Up: notReady("bj/az1/l7-1/gateway")}, -1, true, false},
		"our own is not well":     {supervisor.Ended{Up: notReady("bj/az1/admin-1/l7admin")}, exitBroken, false, true},
		"the lab is not well":     {supervisor.Ended{Up: errors.New("no route")}, exitBroken, false, true},
	} {
		j := &Job{s: parsed(t, good, 0)}
		if got := j.codeOf(c.how); got != c.code || (j.failed != nil) != c.failed || (len(j.problems) > 0) != c.problem {
			t.Errorf("%s: got %d, failed %v, problems %q; want %d, failed %t, a problem %t", name, got, j.failed, j.problems, c.code, c.failed, c.problem)
		}
	}
}

func TestOnlyGoodRunsEndWithZero(t *testing.T) {
	for r, want := range map[bundle.Result]int{bundle.Good: 0, bundle.Wrong: 1, bundle.Undecided: 2, "": 2, "splendid": 2} {
		if got := ExitOf(r); got != want {
			t.Errorf("%q: got %d, want %d", r, got, want)
		}
	}
}
