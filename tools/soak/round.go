package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

func (r *rig) args(verb string) []string {
	switch verb {
	case verbUp:
		return []string{"up", "hello", "--name", labName}
	case verbRun:
		return []string{"run", r.scenario(), "--name", labName, "--runs", r.runsDir()}
	default:
		return []string{"down", labName}
	}
}

// measure runs each verb once and returns how long it takes.
func (r *rig) measure() (map[string]time.Duration, error) {
	out := map[string]time.Duration{}
	for _, verb := range []string{verbUp, verbDown, verbRun} {
		_, took, err := r.lbsim(0, r.args(verb)...)
		if err != nil {
			return nil, err
		}
		out[verb] = took
	}
	r.newRun()
	return out, r.wantNothing()
}

// kill does one round and tells it.
func (r *rig) kill(f fate, lasts time.Duration) (story string, err error) {
	s, err := r.hit(f, lasts)
	if err != nil {
		return "", err
	}
	story = fmt.Sprintf("%-10s at %5s of %5s", s.victim, round(s.after), round(lasts))
	code, err := s.client.wait()
	if err != nil {
		return story, err
	}
	story += fmt.Sprintf(", exit code %2d", code)
	if err := s.judgeCode(f.verb, code); err != nil {
		return story, err
	}
	gone, up, err := r.settle(f.verb, s)
	if err != nil {
		return story, err
	}
	if up {
		story += ", lab was up"
	}
	story += fmt.Sprintf(", nothing left after %s", round(gone))
	if f.verb == verbRun {
		how, err := r.judgeRun(s)
		story += ", " + how
		if err != nil {
			return story, err
		}
	}
	if err := r.worksAgain(); err != nil {
		return story, err
	}
	return story, r.untouched()
}

// hit kills the victim of a round. A verb that was faster than when it was measured
// has ended before: then once more, and earlier.
func (r *rig) hit(f fate, lasts time.Duration) (*blow, error) {
	const tries, earlier = 8, 0.7
	for range tries {
		if f.verb == verbDown {
			if _, _, err := r.lbsim(0, r.args(verbUp)...); err != nil {
				return nil, err
			}
		}
		s, err := r.strike(f, time.Duration(f.when*float64(lasts)))
		if err != nil || s.victim != nobody {
			return s, err
		}
		f.when *= earlier
		r.newRun()
		if _, _, err := r.lbsim(0, r.args(verbDown)...); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s ends before anything can be killed", f.verb)
}

// A blow is what was done to a command.
type blow struct {
	client *command
	victim string // whom it met: the client when the one who was meant was not there
	after  time.Duration
	found  family // as it was when the blow fell
}

// strike starts the verb and kills the victim when its time has come. That no event
// is waited for is the point: the moment must not depend on what lbsim is doing.
func (r *rig) strike(f fate, after time.Duration) (*blow, error) {
	c, err := r.start(r.args(f.verb)...)
	if err != nil {
		return nil, err
	}
	moment := time.NewTimer(after)
	defer moment.Stop()
	<-moment.C
	s := &blow{client: c, victim: theClient}
	if s.found, err = familyOf(append(slices.Clone(r.pids), c.cmd.Process.Pid)); err != nil {
		return nil, err
	}
	pid := c.cmd.Process.Pid
	switch {
	case f.victim == theFirst && s.found.first != 0:
		pid, s.victim = s.found.first, theFirst
	case f.victim == theSupervisor && s.found.supervisor != 0:
		pid, s.victim = s.found.supervisor, theSupervisor
	case f.victim == aChild && len(s.found.children) > 0:
		pid, s.victim = s.found.children[f.pick%uint64(len(s.found.children))], aChild
	}
	s.after = time.Since(c.begun)
	select {
	case <-c.done:
		s.victim = nobody
		return s, nil
	default:
	}
	if s.victim != theClient {
		return s, kill(pid)
	}
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return nil, err
	}
	return s, nil
}
