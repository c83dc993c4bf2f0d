package store_test

import (
	"errors"
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
