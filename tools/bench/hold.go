package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/unilb/unilb/tools/bench/load"
	"github.com/unilb/unilb/tools/bench/stage"
)

// hold opens the idle connections of a row at a proxy, lets look do its work while
// they stand, and closes them.
func (s *site) hold(ctx context.Context, p *proxy, look func() error) error {
	arg, err := json.Marshal(s.clientOrder(p))
	if err != nil {
		return err
	}
	cmd := part(idlePart, string(arg))
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, far, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout = far
	idle, err := s.spawn.Keep(cmd, "idle", s.dir, stage.Place{Group: "load", CPUs: []int{s.loadCPU}})
	far.Close()
	if err != nil {
		return errors.Join(err, in.Close())
	}
	defer idle.Stop()
	const within = 2 * time.Minute
	if err := out.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = out.SetReadDeadline(time.Now()) }) // it fails only when closed
	defer stop()
	var o load.Outcome
	if err := json.NewDecoder(out).Decode(&o); err != nil {
		return errors.Join(fmt.Errorf("open idle connections at %s: %w: %s", p.name, err, idle.Words()), context.Cause(ctx))
	}
	if err := look(); err != nil {
		return err
	}
	return in.Close()
}
