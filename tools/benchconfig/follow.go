package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A follower knows when a gateway has answered what is in force: a long-poll for the
// next revision is always open, so no connection and no question begins with a write.
type follower struct {
	mu      sync.Mutex
	answers []answered
	err     error
	changed chan struct{} // closed and replaced at each answer
}

// answered is what was in force when a gateway answered.
type answered struct {
	revision int64
	at       time.Time
}

// follow follows the gateway with that status listener until ctx ends.
func follow(ctx context.Context, c *http.Client, status string) *follower {
	f := &follower{changed: make(chan struct{})}
	go func() {
		now := int64(0)
		for {
			next, err := applied(ctx, c, status, now+1)
			if err == nil && next <= now { // nothing happened for as long as a question may take
				continue
			}
			f.note(answered{next, time.Now()}, err)
			if err != nil {
				return
			}
			now = next
		}
	}()
	return f
}

func (f *follower) note(a answered, err error) {
	const most = 64 // more than a write can be followed by before somebody looks
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.answers) == most {
		f.answers = append(f.answers[:0], f.answers[most/2:]...)
	}
	if f.err = err; err == nil {
		f.answers = append(f.answers, a)
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// reached waits until the gateway has answered that a revision is in force, and returns
// when that answer came.
func (f *follower) reached(ctx context.Context, revision int64) (time.Time, error) {
	const within = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		f.mu.Lock()
		changed, err := f.changed, f.err
		for _, a := range f.answers {
			if a.revision >= revision {
				f.mu.Unlock()
				return a.at, nil
			}
		}
		f.mu.Unlock()
		if err != nil {
			return time.Time{}, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for revision %d: %w", revision, ctx.Err())
		}
	}
}

// applied asks a gateway by long-poll for a revision, and returns the one that is in
// force; it is smaller when the question was not answered in time.
func applied(ctx context.Context, c *http.Client, status string, revision int64) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/status/applied?prefix=%s&revision=%d&timeout=20s", status, prefix, revision), nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusGatewayTimeout {
		return 0, fmt.Errorf("%s: %s", req.URL, resp.Status)
	}
	var a struct{ Applied map[string]int64 }
	err = json.NewDecoder(resp.Body).Decode(&a)
	return a.Applied[prefix], err
}

// serves waits until a revision is in force on a gateway.
func serves(ctx context.Context, c *http.Client, status string, revision int64) error {
	now, err := applied(ctx, c, status, revision)
	if err == nil && now < revision {
		err = fmt.Errorf("revision %d is not in force at %s, which has %d", revision, status, now)
	}
	return err
}

// served waits until a revision is in force on all gateways.
func (w writeAndWatch) served(ctx context.Context, revision int64) error {
	var polls errgroup.Group
	for _, at := range w.statuses {
		polls.Go(func() error { return serves(ctx, w.http, at, revision) })
	}
	return polls.Wait()
}
