package stage

import (
	"context"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

func TestARunThatFailsInPartIsNotAGoodOne(t *testing.T) {
	for name, c := range map[string]struct {
		failed bool
		err    error
		want   int
	}{"good": {want: 0}, "a part failed": {failed: true, want: Broken}, "all failed": {err: errors.New("as a test wants it"), want: Broken}} {
		if got := Run("test", func(context.Context) (bool, error) { return c.failed, c.err }); got != c.want {
			t.Errorf("%s: got exit code %d, want %d", name, got, c.want)
		}
	}
}

func TestARunEndsWhenItIsTold(t *testing.T) {
	got := Run("test", func(ctx context.Context) (bool, error) {
		if err := unix.Kill(unix.Getpid(), unix.SIGTERM); err != nil {
			return true, err
		}
		<-ctx.Done()
		return false, context.Cause(ctx)
	})
	if got != Broken {
		t.Errorf("got exit code %d, want %d", got, Broken)
	}
}
