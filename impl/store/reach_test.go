package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

// keep opens a store over a link and writes n keys to a directory.
func keep(t *testing.T, n int) (s *Store, link *etcdtest.Link, rev int64) {
	t.Helper()
	link = etcdtest.NewLink(t, etcdtest.Start(t).Addr())
	s, err := Open(Options{Endpoints: []string{link.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for i := 0; i < n; i += 100 {
		var ops []Op
		for j := i; j < min(i+100, n); j++ {
			ops = append(ops, Op{Key: fmt.Sprintf("/d/%04d", j)})
		}
		if rev, err = s.Commit(t.Context(), nil, ops...); err != nil {
			t.Fatal(err)
		}
	}
	return s, link, rev
}

func TestReachWaitsForALargeDirectoryWhilePagesOfItCome(t *testing.T) {
	t.Parallel()
	s, _, rev := keep(t, 4*pageSize+1)
	s.patience = time.Second
	n := 0
	f := s.Follow("/d", func(KV) {
		if n++; n%pageSize == 0 {
			<-time.After(s.patience / 3) // four times: longer than patience
		}
	})
	defer f.Stop()
	began := time.Now()
	if at, err := f.Reach(t.Context(), rev); err != nil || n != 4*pageSize+1 {
		t.Errorf("after %s: got revision %d, %v with %d keys, want all %d", time.Since(began), at, err, n, 4*pageSize+1)
	}
}

func TestReachHasOneDeadlineForAllAndSaysThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{Endpoints: []string{"http://127.0.0.1:1"}}) // never asked
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.patience = 300 * time.Millisecond
	var all []*Follower
	for i := range 6 { // each comes soon enough after the one before
		f := &Follower{w: &watch{s: s}, moved: make(chan struct{})}
		defer time.AfterFunc(time.Duration(i+1)*200*time.Millisecond, func() { f.move(1, nil) }).Stop()
		all = append(all, f)
	}
	began := time.Now()
	at, err := ReachAll(t.Context(), 1, all...)
	var away *UnavailableError
	if !errors.As(err, &away) || !errors.Is(err, errSilent) {
		t.Errorf("after %s: got revision %d, %v, want an UnavailableError: %v", time.Since(began), at, err, errSilent)
	}
}

func TestFollowerGoesOnReadingWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	const n = pageSize + 1
	s, link, rev := keep(t, n)
	told := map[string]int{}
	f := s.Follow("/d", func(kv KV) {
		if len(told) == 0 {
			link.Cut() // the second page will not come
		}
		told[kv.Key]++
	})
	defer f.Stop()
	late := time.Now().Add(30 * time.Second)
	for f.failed() == nil && time.Now().Before(late) {
		_, _ = f.Reach(t.Context(), rev)
	}
	link.Heal()
	_, err := f.Reach(t.Context(), rev)
	for away := (*UnavailableError)(nil); errors.As(err, &away) && time.Now().Before(late); { // the link was only just healed
		_, err = f.Reach(t.Context(), rev)
	}
	if err != nil || len(told) != n || told["/d/0000"] != 1 {
		t.Errorf("got %v with %d of %d keys, the first one %d times", err, len(told), n, told["/d/0000"])
	}
}

// failed is why a page of the first list did not come.
func (f *Follower) failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.why
}
