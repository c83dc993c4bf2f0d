package suite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// limit is how long the case itself may take, after its set-up.
func (o Options) limit(c spec.Case) time.Duration {
	limit := cmp.Or(c.Timeout, spec.DefaultTimeout)
	if o.AtMost > 0 {
		limit = min(limit, o.AtMost)
	}
	return limit
}

// Longest is how long a case may take at most, with set-up, clean-up and the grace of
// both.
func Longest(c spec.Case) time.Duration {
	return SetUpTimeout + (Options{}).limit(c) + CleanUpTimeout + 2*DefaultGrace
}

// attempt runs a case to its end or until its time and the grace are over; then
// it is left behind, and its T takes nothing more. It says whether the case was
// late.
func (o Options) attempt(ctx context.Context, c spec.Case, t *spec.T) (late bool) {
	limit := o.limit(c)
	interrupted := ctx.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	phase := make(chan struct{}) // closed when set-up has ended well
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				t.Panicked(p, debug.Stack())
			}
		}()
		setup, stop := context.WithTimeout(ctx, SetUpTimeout)
		defer stop()
		t.Prepare(setup, c)
		stop()
		close(phase)
		run, stop := context.WithTimeout(ctx, limit)
		defer stop()
		c.Run(run, t)
		if run.Err() != nil {
			t.Check(false, "not done within %s", limit)
		}
	}()
	alarm := time.NewTimer(SetUpTimeout + o.Grace)
	defer alarm.Stop()
	for {
		select {
		case <-phase:
			phase = nil
			alarm.Reset(limit + o.Grace)
		case <-interrupted:
			interrupted, phase = nil, nil
			alarm.Reset(o.Grace)
		case <-done:
			return false
		case <-alarm.C:
			t.Check(false, "does not end, even %s after its time", o.Grace)
			return true
		}
	}
}

// cleanUp undoes what the case did, with a context that an interrupted run does
// not take away.
func cleanUp(ctx context.Context, t *spec.T) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), CleanUpTimeout)
	defer cancel()
	// Objects first: backends must not vanish under routes that still exist.
	errs := []error{t.Remove(ctx)}
	for _, f := range t.Cleanups() {
		errs = append(errs, contained(ctx, f))
	}
	return errors.Join(errs...)
}

// contained calls f, and gives up on it when ctx ends: a clean-up that waits for
// what a gateway never does must not hold up the other cases.
func contained(ctx context.Context, f func(context.Context) error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("panic: %v", p)
			}
		}()
		done <- f(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("not done within %s", CleanUpTimeout)
	}
}

func judge(c spec.Case, rec spec.Record) spec.State {
	switch {
	case rec.Broken:
		return spec.Broken
	case rec.Failed && c.Level != spec.Must:
		return spec.Warn
	case rec.Failed:
		return spec.Fail
	case rec.Unknown:
		return spec.Unknown
	}
	return spec.Pass
}

// keep writes attachments of a case that did not pass.
func (o Options) keep(c spec.Case, as []spec.Attachment, r *spec.Result) []string {
	if o.Evidence == "" || r.State == spec.Pass {
		return nil
	}
	var files []string
	for _, a := range as {
		name := filepath.Join(o.Evidence, c.ID, filepath.Base(a.Name))
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = os.WriteFile(name, a.Data, 0o644)
		}
		if err != nil {
			r.Says = append(r.Says, "keep evidence: "+err.Error())
			continue
		}
		files = append(files, name)
	}
	return files
}
