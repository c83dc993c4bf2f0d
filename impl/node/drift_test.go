package node

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unilb/unilb/impl/store"
)

// other writes registration and report of another gateway.
func (m *memory) other(t *testing.T, name string, state State, rev int64, hash store.Hash) {
	t.Helper()
	reg, err := json.Marshal(Registration{Name: name, Kind: "l7gw", Watches: []string{"/apisix"}, State: state})
	if err != nil {
		t.Fatal(err)
	}
	report, err := json.Marshal(Report{Name: name, Kind: "l7gw", Applied: map[string]int64{"/apisix": rev}, Hash: map[string]store.Hash{"/apisix": hash}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Commit(t.Context(), nil, store.Op{Key: RegistryKey("l7gw", name), Value: reg}, store.Op{Key: ReportKey("l7gw", name), Value: report}); err != nil {
		t.Fatal(err)
	}
}

func TestDriftIsOtherContentAtTheSameRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var log bytes.Buffer // nobody writes while we read: everything in a bubble waits
		n := newNode(registration(), m, Options{Log: slog.New(slog.NewTextHandler(&log, nil)).With("node", "bj/az1/l7-1")})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); n.compareUntil(ctx) }()
		defer func() { cancel(); <-done }()
		n.InForce("/apisix", 10, 0xa)
		n.InForce("/apisix", 20, 0xb)
		m.frontier = 25
		for _, tc := range []struct {
			what     string
			state    State
			rev      int64
			hash     store.Hash
			drifts   int
			compared int
			logged   string
		}{
			{"the same", Serving, 20, 0xb, 0, 1, ""},
			{"behind, and as we were then", Serving, 10, 0xa, 0, 1, ""},
			{"ahead", Serving, 30, 0xc, 0, 0, ""},
			{"ahead, but nothing has changed until then", Serving, 25, 0xb, 0, 1, ""},
			{"ahead, and something else", Serving, 25, 0xc, 1, 1, "level=ERROR"},
			{"equal after that", Serving, 20, 0xb, 0, 1, "drift is over"},
			{"behind, at a revision that we were never at", Serving, 15, 0xc, 0, 0, ""},
			{"other content", Serving, 20, 0xc, 1, 1, "level=ERROR"},
			{"still", Serving, 20, 0xc, 1, 1, ""},
			{"ahead before it was found equal", Serving, 30, 0xd, 1, 0, ""},
			{"equal again", Serving, 20, 0xb, 0, 1, "drift is over"},
			{"other content as we were", Serving, 10, 0xc, 1, 1, "level=ERROR"},
			{"taken out", Draining, 10, 0xc, 0, 0, "drift is over"},
		} {
			log.Reset()
			m.other(t, "bj/az2/l7-9", tc.state, tc.rev, tc.hash)
			pass(2 * DefaultCompareEvery)
			synctest.Wait()
			drifts, compared := n.Drifts()
			if len(drifts) != tc.drifts || compared["/apisix"] != tc.compared {
				t.Errorf("%s: got %+v of %v compared, want %d of %d", tc.what, drifts, compared, tc.drifts, tc.compared)
			}
			if got := log.String(); strings.Count(got, "\n") > 1 || strings.Count(got, " node=") > 1 || (tc.logged == "") != (got == "") || !strings.Contains(got, tc.logged) {
				t.Errorf("%s: got log %q, want one line with %q", tc.what, got, tc.logged)
			}
		}
		m.other(t, "bj/az2/l7-9", Serving, 20, 0xc)
		pass(2 * DefaultCompareEvery)
		synctest.Wait()
		want := `"drift":[{"node":"bj/az2/l7-9","prefix":"/apisix","revision":20,"hash":"000000000000000c","ours":"000000000000000b"}]`
		if got := ask(n, "/status").Body.String(); !strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// A cluster that went back has another history: what was in force at its revisions
// before says nothing.
func TestRestoredEtcdIsNoDrift(t *testing.T) {
	n := newNode(registration(), newMemory(), Options{})
	n.InForce("/apisix", 10, 0xa)
	n.InForce("/apisix", 20, 0xb)
	n.InForce("/apisix", 5, 0xc)
	n.InForce("/apisix", 11, 0xd)
	n.compare([]Report{{Name: "x", Applied: map[string]int64{"/apisix": 10}, Hash: map[string]store.Hash{"/apisix": 0xe}}})
	if drifts, compared := n.Drifts(); len(drifts) != 0 || compared["/apisix"] != 0 {
		t.Errorf("got %+v of %v compared, want nothing compared", drifts, compared)
	}
}

func TestPastForgetsTheOldest(t *testing.T) {
	var p past
	for rev := range int64(3 * pastSteps / 2) {
		p.add(step{rev, store.Hash(rev)})
	}
	p.add(step{3*pastSteps/2 - 1, 7}) // the newest of a revision counts
	for rev, want := range map[int64]bool{pastSteps / 2: false, pastSteps/2 + 1: true, 3*pastSteps/2 - 1: true, 0: false} {
		if hash, ok := p.at(rev, 0); ok != want || ok && rev < 3*pastSteps/2-1 && hash != store.Hash(rev) {
			t.Errorf("revision %d: got %s, %v, want %v", rev, hash, ok, want)
		}
	}
	if hash, _ := p.at(3*pastSteps/2-1, 0); hash != 7 {
		t.Errorf("got %s, want the newest", hash)
	}
}

// The comparison must not cost etcd more than a few reads a minute.
func TestComparisonsAreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		n, stop := start(t, m)
		defer stop()
		pass(time.Minute)
		if m.lists != 0 {
			t.Errorf("%d lists of a node that tells no hash", m.lists)
		}
		n.InForce("/apisix", 10, 0xa)
		pass(time.Hour)
		synctest.Wait()
		if most := 2 * 2 * int(time.Hour/DefaultCompareEvery); m.lists == 0 || m.lists > most {
			t.Errorf("%d lists in an hour, want some, at most %d", m.lists, most)
		}
	})
}

func TestComparisonsAreAsOftenAsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		n := newNode(registration(), m, Options{CompareEvery: time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); n.compareUntil(ctx) }()
		defer func() { cancel(); <-done }()
		n.InForce("/apisix", 10, 0xa)
		pass(time.Minute)
		synctest.Wait()
		if least := 2 * 40; m.lists < least || m.lists > 2*least {
			t.Errorf("%d lists in a minute, want %d to %d", m.lists, least, 2*least)
		}
	})
}
