package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/census"
	"github.com/unilb/unilb/sim/history"
)

// left lists what is there and was not before. Files are left out while a stale
// entry of the registry waits for the next command.
func (r *rig) left(files bool) ([]string, error) {
	now, err := census.Take(r.counted())
	if err != nil {
		return nil, err
	}
	if !files {
		delete(now.Things, history.Files)
	}
	left, _ := r.before.Left(now)
	open, err := sockets()
	for _, s := range open {
		if !slices.Contains(r.sockets, s) {
			left = append(left, "socket: "+s)
		}
	}
	return left, err
}

// sockets are the abstract ones of this network namespace.
func sockets() ([]string, error) {
	text, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		const path = 7
		if f := strings.Fields(line); len(f) > path && strings.HasPrefix(f[path], "@") {
			out = append(out, f[path])
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// until asks what has no event, and waits at most leftLimit.
func until(ok func() (bool, error)) (time.Duration, error) {
	const pace = 10 * time.Millisecond
	begun := time.Now()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for range tick.C {
		yes, err := ok()
		if waited := time.Since(begun); yes || err != nil || waited > leftLimit {
			if !yes && err == nil {
				err = errLate
			}
			return waited, err
		}
	}
	return 0, nil
}

var errLate = fmt.Errorf("not within %s", leftLimit)

// untouched says what of others' has changed.
func (r *rig) untouched() error {
	now, err := r.foreign.look()
	if err != nil {
		return err
	}
	var changed []string
	for _, line := range now {
		if !slices.Contains(r.was, line) {
			changed = append(changed, "now "+line)
		}
	}
	for _, line := range r.was {
		if !slices.Contains(now, line) {
			changed = append(changed, "was "+line)
		}
	}
	if len(changed) > 0 {
		return fmt.Errorf("what belongs to others has changed: %s", strings.Join(changed, "; "))
	}
	return nil
}
