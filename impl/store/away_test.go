package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

func TestCallersAreToldAtOnceThatEtcdIsAway(t *testing.T) {
	t.Parallel()
	server := etcdtest.Start(t)
	s := open(t, server.Endpoint())
	if _, err := s.Commit(t.Context(), nil, store.Op{Key: "/a", Value: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	server.Down()
	const atOnce = 2 * time.Second // one who is kept waiting is so for three at least
	for what, call := range map[string]func() error{
		"get": func() error { _, _, _, err := s.Get(t.Context(), "/a"); return err },
		"commit": func() error {
			_, err := s.Commit(t.Context(), nil, store.Op{Key: "/a", Value: []byte("2")})
			return err
		},
	} {
		began := time.Now()
		err := call()
		var unavailable *store.UnavailableError
		if took := time.Since(began); !errors.As(err, &unavailable) || unavailable.Unknown || took > atOnce {
			t.Errorf("%s: got %v after %s, want that etcd is unavailable, at once, and that nothing happened", what, err, took)
		}
	}
	server.Up()
	if _, _, _, err := s.Get(t.Context(), "/a"); err != nil {
		t.Errorf("the first call after it has come back: %v", err)
	}
}

// The connection is begun for the commit and fails under it.
func TestCommitThatWasNotSentDidNotHappen(t *testing.T) {
	t.Parallel()
	server := etcdtest.Start(t)
	server.Down()
	_, err := open(t, server.Endpoint()).Commit(t.Context(), nil, store.Op{Key: "/a", Value: []byte("1")})
	var unavailable *store.UnavailableError
	if !errors.As(err, &unavailable) || unavailable.Unknown {
		t.Errorf("got %v, want that etcd is unavailable, and that nothing happened", err)
	}
}

// What is asked for before it, the lease of a key that vanishes, changes nothing.
func TestCommitWithoutItsLeaseDidNotHappen(t *testing.T) {
	t.Parallel()
	link := etcdtest.NewLink(t, etcdtest.Start(t).Addr())
	s := open(t, link.Endpoint())
	put(t, s, "/a", "1")
	link.Freeze()
	for ttl, unknown := range map[time.Duration]bool{time.Minute: false, 0: true} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := s.Commit(ctx, nil, store.Op{Key: "/a", Value: []byte("2"), TTL: ttl})
		cancel()
		var unavailable *store.UnavailableError
		if !errors.As(err, &unavailable) || unavailable.Unknown != unknown {
			t.Errorf("of a key that lives for %s: got %v, want its outcome unknown: %t", ttl, err, unknown)
		}
	}
}

func TestReachTellsSinceWhenAndWhy(t *testing.T) {
	t.Parallel()
	s := open(t, "http://127.0.0.1:1") // nobody listens there
	before := s.Reach()
	if !before.Reachable || before.LastError != "" || before.LastErrorAt != nil || before.Since.IsZero() {
		t.Errorf("with no watch: got %+v, want reachable, and no error", before)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx, "/a", func(store.Batch) {}) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var away store.Reach
	for deadline := time.Now().Add(20 * time.Second); away.LastError == "" && time.Now().Before(deadline); <-tick.C {
		away = s.Reach()
	}
	if away.Reachable || !strings.Contains(away.LastError, "connection refused") || !away.Since.After(before.Since) || away.LastErrorAt == nil || away.LastErrorAt.Before(away.Since) {
		t.Errorf("got %+v after %+v, want that it is away, since then, and why", away, before)
	}
	cancel()
	<-ended
	if back := s.Reach(); !back.Reachable || !back.Since.After(away.Since) || back.LastError == "" {
		t.Errorf("got %+v after %+v, want the error to stay", back, away)
	}
}
