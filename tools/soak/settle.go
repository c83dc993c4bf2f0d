package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// judgeCode says whether a command may end like this when somebody else was killed.
func (s *blow) judgeCode(verb string, code int) error {
	want := map[string][]int{verbUp: {0, 5}, verbDown: {0}, verbRun: {0, 1, 2, 5}}[verb]
	if s.victim == theClient {
		want = append(want, -1)
	}
	if !slices.Contains(want, code) {
		return fmt.Errorf("exit code %d, want one of %v: %s", code, want, s.client.said())
	}
	return nil
}

// settle waits until nothing is left. A lab may be left only when up was killed
// after it was up, or down before it had asked; then another down ends it.
func (r *rig) settle(verb string, s *blow) (took time.Duration, up bool, err error) {
	took, err = until(func() (bool, error) {
		left, err := r.left(false)
		if len(left) > 0 && verb != verbRun && err == nil {
			up = r.isUp()
		}
		return len(left) == 0 || up, err
	})
	if err != nil && !errors.Is(err, errLate) {
		return took, up, err
	}
	if !up {
		return took, false, r.wantNothing()
	}
	if verb == verbUp && !s.found.gateway {
		return took, up, errors.New("the lab came up although lbsim was killed before")
	}
	if _, _, err := r.lbsim(0, r.args(verbDown)...); err != nil {
		return took, up, err
	}
	return took, up, r.wantNothing()
}

func (r *rig) isUp() bool {
	said, _, err := r.lbsim(0, "status", "--json", "--lab", labName)
	return err == nil && strings.Contains(said, `"up":true`)
}

// wantNothing wants that no lab is listed and nothing is left, files included.
func (r *rig) wantNothing() error {
	said, _, err := r.lbsim(0, "list")
	if err != nil {
		return err
	}
	if !strings.Contains(said, "no lab is up") {
		return fmt.Errorf("a lab is listed: %q", said)
	}
	var left []string
	_, err = until(func() (bool, error) { var err error; left, err = r.left(true); return len(left) == 0, err })
	if err != nil {
		return fmt.Errorf("%w gone: %s", err, strings.Join(left, "; "))
	}
	return nil
}

// worksAgain wants that a lab comes up, answers and goes.
func (r *rig) worksAgain() error {
	if _, _, err := r.lbsim(0, r.args(verbUp)...); err != nil {
		return err
	}
	said, _, err := r.lbsim(0, "exec", "--lab", labName, "client/inet-1", "--", "cat", "/proc/net/dev")
	if err != nil {
		return err
	}
	if !strings.Contains(said, "eth0") {
		return fmt.Errorf("exec says %q, want an eth0", said)
	}
	if _, _, err := r.lbsim(0, r.args(verbDown)...); err != nil {
		return err
	}
	return r.wantNothing()
}

// newRun is the directory of a run that has not been looked at; "": there is none.
func (r *rig) newRun() string {
	all, _ := filepath.Glob(filepath.Join(r.runsDir(), "soak", "*")) // the pattern is well formed
	for _, dir := range all {
		if filepath.Base(dir) != "latest" && !slices.Contains(r.runs, dir) {
			r.runs = append(r.runs, dir)
			return dir
		}
	}
	return ""
}

// judgeRun wants that a run is either whole or says which file it lacks. It must be
// whole when only its client was killed.
func (r *rig) judgeRun(s *blow) (string, error) {
	dir := r.newRun()
	if dir == "" {
		return "no run was begun", nil
	}
	c, err := r.start("judge", dir)
	if err != nil {
		return "", err
	}
	code, err := c.wait()
	switch said := c.said(); {
	case err != nil:
		return "", err
	case code >= 0 && code <= 2:
		return fmt.Sprintf("run judged with %d", code), nil
	case code != 3 || !strings.Contains(said, " is missing"):
		return "", fmt.Errorf("judge: exit code %d: %s", code, said)
	case s.victim == theClient && s.found.supervisor != 0:
		return "", fmt.Errorf("only lbsim was killed, and yet: %s", said)
	case !strings.Contains(said, dir+"/"):
		return "", fmt.Errorf("judge does not name the file: %s", said)
	default:
		return "run unfinished", nil
	}
}
