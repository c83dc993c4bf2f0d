package store

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/prometheus/client_golang/prometheus"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

// requests is how many requests of a kind all members of this process have answered.
func requests(t *testing.T, method string) (n int) {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "grpc_server_handled_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "grpc_method" && l.GetValue() == method {
					n += int(m.GetCounter().GetValue())
				}
			}
		}
	}
	return n
}

func TestReadsOfManyAtOnceAreFewRequestsAndEachIsRight(t *testing.T) {
	etcd := etcdtest.Start(t)
	link := etcdtest.NewLink(t, etcd.Addr())
	s, err := Open(Options{Endpoints: []string{link.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const n = 200
	revs := make([]int64, n)
	for i := range n {
		if revs[i], err = s.Commit(t.Context(), nil, Op{Key: fmt.Sprintf("/k/%d", i), Value: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	all := func(check func(i int, kv KV, ok bool, rev int64, err error)) {
		var wg sync.WaitGroup
		for i := range 2 * n { // half of them do not exist
			wg.Go(func() {
				kv, ok, rev, err := s.Get(t.Context(), fmt.Sprintf("/k/%d", i))
				check(i, kv, ok, rev, err)
			})
		}
		wg.Wait()
	}
	right := func(i int, kv KV, ok bool, rev int64, err error) {
		if err != nil || rev != revs[n-1] || ok != (i < n) || ok && (kv.Mod != revs[i] || string(kv.Value) != fmt.Sprint(i)) {
			t.Errorf("key %d: got %+v, %v at revision %d, %v", i, kv, ok, rev, err)
		}
	}
	before := requests(t, "Range") + requests(t, "Txn")
	all(right)
	if got := requests(t, "Range") + requests(t, "Txn") - before; got == 0 || got > n {
		t.Errorf("%d requests for %d reads at once, want fewer than half as many", got, 2*n)
	}

	link.Cut()
	began := time.Now()
	all(func(i int, _ KV, _ bool, _ int64, err error) {
		var away *UnavailableError
		if !errors.As(err, &away) {
			t.Errorf("key %d, while etcd is away: got %v, want an UnavailableError", i, err)
		}
	})
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("that etcd is away was said after %s", took)
	}
	link.Heal()
	for _, _, _, err := s.Get(t.Context(), "/k/0"); err != nil && time.Since(began) < time.Minute; {
		_, _, _, err = s.Get(t.Context(), "/k/0")
	}
	all(right)
}

func TestReadsOfAnEtcdThatDoesNotAnswerTakeNoLongerThanPatience(t *testing.T) {
	t.Parallel()
	s, link, _ := keep(t, 1)
	s.patience = time.Second // less than an attempt may take
	link.Freeze()
	defer link.Heal()
	began := time.Now()
	var wg sync.WaitGroup
	for range 2 * (getsAlone + keysAtOnce) { // more than are asked for together
		wg.Go(func() {
			var away *UnavailableError
			if _, _, _, err := s.Get(t.Context(), "/d/0000"); !errors.As(err, &away) {
				t.Errorf("got %v, want an UnavailableError", err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(began); took >= 2*s.patience {
		t.Errorf("that etcd does not answer was said after %s, want %s", took, s.patience)
	}
}

// burst has n reads wait and all of them asked for. It returns their answers, without
// holding them, and how many have none.
func burst(s *Store, n int) (held []weak.Pointer[clientv3.GetResponse], unread int) {
	all := make([]*getting, n)
	for i := range all {
		all[i] = &getting{key: fmt.Sprintf("/k/%d", i), done: make(chan struct{})}
	}
	s.gets.waiting = append(s.gets.waiting, all...)
	s.gather()
	for _, g := range all {
		<-g.done
		if g.resp == nil || g.resp.Header == nil {
			unread++
		}
		held = append(held, weak.Make(g.resp))
	}
	return held, unread
}

func TestReadsOfManyAtOnceAreAsFewAsEtcdTakesAndNothingIsKeptOfThem(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{Endpoints: []string{etcdtest.Start(t).Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.gets.most = 500 // etcd takes 128
	held, unread := burst(s, 1000)
	if unread > 0 || s.gets.most != 125 {
		t.Errorf("%d of 1000 reads at once were in vain, and %d keys are asked for at once now, want 125", unread, s.gets.most)
	}
	runtime.GC()
	kept := 0
	for _, p := range held {
		if p.Value() != nil {
			kept++
		}
	}
	if kept > 0 {
		t.Errorf("%d answers are still held", kept)
	}
	runtime.KeepAlive(s)
}
