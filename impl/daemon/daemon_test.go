package daemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"syscall"
	"testing"
	"time"
)

// deadline is far beyond what anything here takes.
const deadline = 20 * time.Second

func terminate(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}

func TestFirstSignalEndsTheWorkAndTheSecondTheProcess(t *testing.T) {
	exited := make(chan int, 1)
	p := Program{Name: "x", LogLevel: "error", exit: func(code int) { exited <- code }}
	p.Serve = func(ctx context.Context, _ *slog.Logger) error {
		terminate(t)
		select {
		case <-ctx.Done():
		case <-time.After(deadline):
			t.Error("the first signal did not end the work")
		}
		select {
		case code := <-exited:
			t.Errorf("one signal ended the process with %d", code)
		default:
		}
		terminate(t)
		select {
		case code := <-exited:
			if code != ExitFailed {
				t.Errorf("exit code %d, want %d", code, ExitFailed)
			}
		case <-time.After(deadline):
			t.Error("the second signal did not end the process")
		}
		return nil
	}
	if code := Run(p); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestExitCodesSayWhatWasWrong(t *testing.T) {
	works := func(context.Context, *slog.Logger) error { return nil }
	fails := func(context.Context, *slog.Logger) error { return errors.New("it broke") }
	for name, tc := range map[string]struct{ got, want int }{
		"help":              {BadFlags("x", fmt.Errorf("parse: %w", flag.ErrHelp)), 0},
		"a bad flag":        {BadFlags("x", errors.New("no such flag")), ExitBadFlags},
		"no such log level": {Run(Program{Name: "x", LogLevel: "loud", Serve: works}), ExitBadFlags},
		"a bad mixture":     {Run(Program{Name: "x", LogLevel: "error", Serve: works, Check: func() error { return errors.New("too much") }}), ExitBadFlags},
		"work that ended":   {Run(Program{Name: "x", LogLevel: "error", Serve: works}), 0},
		"work that failed":  {Run(Program{Name: "x", LogLevel: "error", Serve: fails}), ExitFailed},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: exit code %d, want %d", name, tc.got, tc.want)
		}
	}
}
