package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/unilb/unilb/impl/obs"
)

// linkBacklog is how many link messages may wait for the agent. The kernel's own
// buffer comes before it; when both are full the kernel says so, and everything
// is looked at again.
const linkBacklog = 256

// watchLinks follows the interfaces of the node until ctx ends: guests' come and
// go when they like. It returns an error when a device of the agent is gone.
func (a *Agent) watchLinks(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := a.followLinks(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryPause): // lost messages: subscribe anew
		}
	}
	return ctx.Err()
}

// followLinks subscribes and handles messages until the subscription breaks.
func (a *Agent) followLinks(ctx context.Context) error {
	done := make(chan struct{})
	defer close(done)
	updates := make(chan netlink.LinkUpdate, linkBacklog)
	err := netlink.LinkSubscribeWithOptions(updates, done, netlink.LinkSubscribeOptions{
		ErrorCallback: func(err error) {
			if ctx.Err() == nil {
				a.log.Warn("link messages interrupted", obs.Err, err)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("subscribe to link messages: %w", err)
	}
	// What changed before the subscription.
	if err := a.relink(); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case u, ok := <-updates:
			if !ok {
				return nil
			}
			matters := a.linkMatters(u)
			for len(updates) > 0 { // a burst is one change
				if u, ok = <-updates; ok {
					matters = a.linkMatters(u) || matters
				}
			}
			if !matters {
				continue
			}
			if err := a.relink(); err != nil {
				return err
			}
		}
	}
}

func (a *Agent) linkMatters(u netlink.LinkUpdate) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	attrs := u.Attrs()
	if a.set.owns(attrs.Index) {
		return true
	}
	return a.set.switching != nil && a.set.switching.concerns(attrs.Name, attrs.Index)
}

// relink makes sure that the agent's devices are there and puts guests into the
// kernel by the interfaces that exist. What the kernel refuses is left to
// maintain; an error is about a device that is gone.
func (a *Agent) relink() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.set.check(); err != nil {
		return err
	}
	if a.set.switching == nil {
		return nil
	}
	if err := a.set.switching.relink(); err != nil {
		a.log.Warn("guests not complete", obs.Err, err)
		for _, f := range a.follows {
			if f.follower == a.set.switching {
				f.pending = true
			}
		}
		select {
		case a.retry <- struct{}{}:
		default:
		}
	}
	return nil
}
