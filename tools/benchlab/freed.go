package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// awaitFreed waits until the kernel has freed every namespace that nobody uses any
// more. It does so in one queue, in its own time, and holds locks that building
// needs: who begins to measure before would pay for the one before. A namespace that
// is given up now is freed last, and takes the other end of its link with it.
func awaitFreed(ctx context.Context) (err error) {
	const within, pause = 2 * time.Minute, 2 * time.Millisecond
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("namespaces are not freed after %s", within))
	defer cancel()
	ours, err := newPlace("10.0.0.0/31")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.Close()) }()
	last, err := newPlace("10.0.0.1/31")
	if err != nil {
		return err
	}
	if err := errors.Join(join(ours, last), last.Close()); err != nil {
		return err
	}
	for {
		names, err := ours.stack.Interfaces()
		if err != nil {
			return err
		}
		if !slices.Contains(names, "eth0") {
			return nil
		}
		if err := sleep(ctx, pause); err != nil {
			return context.Cause(ctx)
		}
	}
}
