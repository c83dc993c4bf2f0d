package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

func TestCommitConditions(t *testing.T) {
	t.Parallel()
	s := open(t, etcdtest.Start(t).Endpoint())
	rev := put(t, s, "/d/a", "1")
	later := put(t, s, "/d/b", "1")
	for _, tc := range []struct {
		name string
		cond store.Cond
		fail *store.ConflictError
	}{
		{"revision holds", store.Cond{Key: "/d/a", Mod: rev}, nil},
		{"absent holds", store.Cond{Key: "/d/none"}, nil},
		{"exists holds", store.Cond{Key: "/d/b", Rule: store.Exists}, nil},
		{"quiet holds", store.Cond{Key: "/d", Mod: later, Rule: store.Quiet}, nil},
		{"quiet empty directory", store.Cond{Key: "/none", Mod: 1, Rule: store.Quiet}, nil},
		{"other revision", store.Cond{Key: "/d/a", Mod: rev + 7}, &store.ConflictError{Key: "/d/a", Mod: rev}},
		{"exists already", store.Cond{Key: "/d/a"}, &store.ConflictError{Key: "/d/a", Mod: rev}},
		{"gone", store.Cond{Key: "/d/none", Mod: rev}, &store.ConflictError{Key: "/d/none"}},
		{"does not exist", store.Cond{Key: "/d/none", Rule: store.Exists}, &store.ConflictError{Key: "/d/none"}},
		{"not quiet", store.Cond{Key: "/d", Mod: later - 1, Rule: store.Quiet}, &store.ConflictError{Key: "/d/b", Mod: later}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := s.Commit(t.Context(), []store.Cond{{Key: "/unused"}, tc.cond}, store.Op{Key: "/out", Value: []byte("x")})
			var conflict *store.ConflictError
			switch errors.As(err, &conflict) {
			case true:
				if tc.fail == nil || *conflict != *tc.fail {
					t.Errorf("got %+v, want %+v", conflict, tc.fail)
				}
			case false:
				if err != nil || tc.fail != nil {
					t.Errorf("got %v, want %+v", err, tc.fail)
				}
			}
		})
	}
}

func TestCommitIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := open(t, etcdtest.Start(t).Endpoint())
	put(t, s, "/a", "1")
	_, err := s.Commit(t.Context(), []store.Cond{{Key: "/a"}}, store.Op{Key: "/b", Value: []byte("1")}, store.Op{Key: "/a", Delete: true})
	var conflict *store.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("got %v", err)
	}
	if _, ok, _, _ := s.Get(t.Context(), "/b"); ok {
		t.Error("a refused commit wrote")
	}
	rev := commit(t, s, store.Op{Key: "/b", Value: []byte("1")}, store.Op{Key: "/a", Delete: true})
	kv, ok, at, err := s.Get(t.Context(), "/b")
	if err != nil || !ok || kv.Mod != rev || kv.Create != rev || at < rev || string(kv.Value) != "1" {
		t.Errorf("got %+v %v at %d, %v", kv, ok, at, err)
	}
	if _, ok, _, _ := s.Get(t.Context(), "/a"); ok {
		t.Error("/a is still there")
	}
}

func TestListIsOneRevisionAndComplete(t *testing.T) {
	t.Parallel()
	s := open(t, etcdtest.Start(t).Endpoint())
	const n = 1201 // more than two pages
	for i := 0; i < n; i += 100 {
		var ops []store.Op
		for j := i; j < min(i+100, n); j++ {
			ops = append(ops, store.Op{Key: fmt.Sprintf("/d/%04d", j), Value: []byte("x")})
		}
		commit(t, s, ops...)
	}
	put(t, s, "/dx", "not below /d")
	rev := put(t, s, "/d0", "not below /d")
	for _, prefix := range []string{"/d", "/d/"} {
		kvs, at, err := s.List(t.Context(), prefix)
		if err != nil || len(kvs) != n || at != rev {
			t.Fatalf("got %d keys at %d, %v; want %d at %d", len(kvs), at, err, n, rev)
		}
		for i, kv := range kvs {
			if kv.Key != fmt.Sprintf("/d/%04d", i) {
				t.Fatalf("key %d is %s", i, kv.Key)
			}
		}
	}
	if kvs, _, err := s.List(t.Context(), ""); err != nil || len(kvs) != n+2 {
		t.Errorf("everything: %d keys, %v", len(kvs), err)
	}
}

func TestUnreachableEtcdIsUnavailable(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	etcd.Down()
	s := open(t, etcd.Endpoint())
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var unavailable *store.UnavailableError
	if _, _, _, err := s.Get(ctx, "/a"); !errors.As(err, &unavailable) || unavailable.Unknown {
		t.Errorf("get: %v", err)
	}
	if _, _, err := s.List(ctx, "/a"); !errors.As(err, &unavailable) {
		t.Errorf("list: %v", err)
	}
	if _, err := s.Commit(ctx, nil, store.Op{Key: "/a"}); !errors.As(err, &unavailable) {
		t.Errorf("commit: %v", err)
	}
}

func TestReadsLeaveAFrozenLink(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as one attempt")
	}
	etcd := etcdtest.Start(t)
	link := etcdtest.NewLink(t, etcd.Addr())
	link.Freeze()
	s := open(t, link.Endpoint(), etcd.Endpoint())
	put(t, open(t, etcd.Endpoint()), "/a", "1")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 4 { // the members take turns
		if kv, ok, _, err := s.Get(ctx, "/a"); err != nil || !ok || string(kv.Value) != "1" {
			t.Fatalf("got %+v %v %v", kv, ok, err)
		}
	}
}

func TestLostAnswerOfCommitIsUnknown(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	link := etcdtest.NewLink(t, etcd.Addr())
	s := open(t, link.Endpoint())
	put(t, s, "/a", "1")
	link.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := s.Commit(ctx, nil, store.Op{Key: "/a", Value: []byte("2")})
	var unavailable *store.UnavailableError
	if !errors.As(err, &unavailable) || !unavailable.Unknown {
		t.Errorf("got %v, want an unknown outcome", err)
	}
}

func TestChangedIsWhatWasWrittenSince(t *testing.T) {
	t.Parallel()
	s := open(t, etcdtest.Start(t).Endpoint())
	put(t, s, "/a/same", "1")
	put(t, s, "/a/gone", "1")
	after := put(t, s, "/a/x", "1")
	put(t, s, "/a/x", "2")
	put(t, s, "/b/x", "1")
	put(t, s, "/bb/x", "1")
	put(t, s, "/c/x", "1")
	rev := del(t, s, "/a/gone")
	kvs, at, err := s.Changed(t.Context(), after, "/a", "/b/", "/none")
	if err != nil || at != rev {
		t.Fatalf("got revision %d %v, want %d", at, err, rev)
	}
	var got []string
	for _, kv := range kvs {
		got = append(got, fmt.Sprintf("%s=%s", kv.Key, kv.Value))
	}
	if want := "[/a/x=2 /b/x=1]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
