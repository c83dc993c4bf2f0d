package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// enterLimit bounds the moment between a lab's entry and its sandbox.
	enterLimit = 5 * time.Second
	// freeLimit bounds what the kernel needs to end a sandbox whose supervisor is
	// gone. It is only reached when pid 1 cannot be watched from here.
	freeLimit = 5 * time.Second
)

// endPace is how often is asked what has no event.
const endPace = 20 * time.Millisecond

// An ending is pid 1 of a lab's sandbox, watched: with it everything is freed.
type ending struct {
	e  Entry
	fd int // -1: it has ended
}

// watch begins to watch pid 1 of a lab that is alive: before the lab is told to go,
// for a process id is somebody else's once its process has ended.
func (e Entry) watch(ctx context.Context) (*ending, error) {
	w := &ending{e: e, fd: -1}
	tick := time.NewTicker(endPace)
	defer tick.Stop()
	for begun := time.Now(); w.e.Pid == 0; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if !e.alive() || time.Since(begun) > enterLimit {
			return w, nil // whoever was about to start it was killed
		}
		err := locked(func(dir string) error {
			if now := read(dir, e.Name); now.Started.Equal(e.Started) {
				w.e = now
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	fd, err := unix.PidfdOpen(w.e.Pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return w, nil
	}
	if err != nil {
		return nil, fmt.Errorf("watch supervisor of %s: %w", e.Name, err)
	}
	w.fd = fd
	return w, nil
}

// await waits for the end.
func (w *ending) await(ctx context.Context) error {
	if w.fd < 0 {
		return nil
	}
	var gone time.Time // since when nobody has held the socket
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}, int(endPace.Milliseconds()))
		switch {
		case n > 0:
			return nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("wait for the end of %s: %w", w.e.Name, err)
		case ctx.Err() != nil:
			return fmt.Errorf("wait for the end of %s: %w", w.e.Name, context.Cause(ctx))
		case gone.IsZero() && !w.e.alive():
			gone = time.Now()
		case !gone.IsZero() && time.Since(gone) > freeLimit:
			return nil // this is no process of the lab
		}
	}
}

func (w *ending) close() {
	if w.fd >= 0 {
		_ = unix.Close(w.fd)
	}
}
