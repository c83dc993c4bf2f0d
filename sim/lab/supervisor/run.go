package supervisor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/unilb/unilb/sim/sandbox"
)

// RunOptions say which job to do in which lab.
type RunOptions struct {
	LaunchOptions
	Job json.RawMessage // for the JobFunc of Supervise
	// Said receives the lines of the job.
	Said func(json.RawMessage)
	// Impatient is closed when nobody wants to wait for an orderly end any more.
	Impatient <-chan struct{}
}

// ErrImpatient says that Run was left before the lab was down. Its supervisor
// goes on taking it down.
var ErrImpatient = errors.New("left before the lab was down")

// Run starts a supervisor that brings a lab up, does a job in it, takes the lab
// down and ends. It returns the job's exit code. When ctx is done the job is
// called off in an orderly way, and Run goes on until that has ended; so it is,
// too, when this process dies. The lab stays up when the job says so.
func Run(ctx context.Context, o RunOptions) (int, error) {
	s, err := o.launch(o.Job)
	if err != nil {
		return 0, err
	}
	defer s.close()
	callOff := context.AfterFunc(ctx, func() { s.lifeline.Close() })
	defer callOff()
	code, kept, err := o.follow(s.progress)
	if errors.Is(err, ErrImpatient) || kept {
		return code, err
	}
	if errors.Is(err, ErrGone) {
		err = fmt.Errorf("%w; see %s%s", err, filepath.Join(s.entry.Dir, logFile), s.entry.lastWords())
	}
	s.lifeline.Close()
	if werr := o.awaitBox(s.box); errors.Is(werr, ErrImpatient) {
		return 0, werr
	} else if err == nil {
		err = werr
	}
	return code, errors.Join(err, s.entry.forget())
}

// follow passes on what the job says until it is done.
func (o RunOptions) follow(progress *os.File) (code int, kept bool, err error) {
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-o.Impatient:
			_ = progress.SetReadDeadline(time.Unix(1, 0))
		case <-done:
		}
	}()
	lines := bufio.NewReader(progress)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, false, ErrImpatient
		}
		if err != nil {
			return 0, false, fmt.Errorf("%w (%w)", ErrGone, err)
		}
		var e event
		if err := json.Unmarshal(bytes.TrimSpace(line), &e); err != nil {
			return 0, false, fmt.Errorf("read progress: %w", err)
		}
		switch {
		case e.Done != nil:
			return e.Done.Code, e.Done.Kept, nil
		case e.Said != nil && o.Said != nil:
			o.Said(e.Said)
		case e.Step != nil && o.Progress != nil:
			o.Progress(*e.Step)
		}
	}
}

// awaitBox waits for the end of the sandbox.
func (o RunOptions) awaitBox(b *sandbox.Box) error {
	ended := make(chan error, 1)
	go func() {
		_, err := b.Wait()
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case <-o.Impatient:
		return ErrImpatient
	}
}
