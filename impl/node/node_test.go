package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unilb/unilb/impl/store"
)

var (
	regKey    = RegistryKey("l7gw", "bj/az1/l7-1")
	reportKey = ReportKey("l7gw", "bj/az1/l7-1")
)

func registration() Registration {
	return Registration{
		Name: "bj/az1/l7-1", Kind: "l7gw", Region: "bj", Zone: "az1",
		Underlay: netip.MustParseAddr("10.101.4.3"), Member: netip.MustParseAddr("100.127.0.1"),
		Status: "http://10.101.4.3:9092", Watches: []string{"/apisix", "/unilb/listeners"},
	}
}

// start runs a node inside of a synctest bubble until the test ends.
func start(t *testing.T, m *memory) (n *Node, stop func()) {
	t.Helper()
	n = newNode(registration(), m, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := n.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	}()
	return n, func() { cancel(); <-done }
}

// pass lets time go by in the bubble of a test, where it costs none.
func pass(d time.Duration) { <-time.After(d) }

func TestRegistrationLooksAsDocumented(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		_, stop := start(t, m)
		synctest.Wait()
		stop()
		got := object(t, m.kvs[regKey].Value)
		want := object(t, []byte(`{"name":"bj/az1/l7-1","kind":"l7gw","region":"bj","zone":"az1","underlay":"10.101.4.3","member":"100.127.0.1",
			"status":"http://10.101.4.3:9092","watches":["/apisix","/unilb/listeners"],"state":"active"}`))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		report := object(t, m.kvs[reportKey].Value)
		if report["instance"] == "" {
			t.Error("report without instance")
		}
		delete(report, "instance")
		want = object(t, []byte(`{"name":"bj/az1/l7-1","kind":"l7gw","applied":{"/apisix":0,"/unilb/listeners":0},"errors":[]}`))
		if !reflect.DeepEqual(report, want) {
			t.Errorf("got  %v\nwant %v", report, want)
		}
	})
}

func TestRestartKeepsDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		reg := registration()
		reg.State = Draining
		reg.Zone = "az-before-the-move"
		b, _ := reg.State.MarshalText()
		value := strings.Replace(`{"name":"bj/az1/l7-1","kind":"l7gw","zone":"old","future":1,"state":"X"}`, "X", string(b), 1)
		if _, err := m.Commit(t.Context(), nil, store.Op{Key: regKey, Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
		n, stop := start(t, m)
		n.SetState(Serving)
		synctest.Wait()
		stop()
		got, err := ParseRegistration(m.kvs[regKey].Value)
		if err != nil || got.State != Draining || got.Zone != "az1" {
			t.Errorf("registration is %+v, %v; want this node's, draining", got, err)
		}
		if n.State() != Draining {
			t.Errorf("a node that was taken out is %s", n.State())
		}
	})
}

func TestOperatorDrainsRunningNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		n, stop := start(t, m)
		defer stop()
		n.SetState(Serving)
		synctest.Wait()
		for _, state := range []State{Draining, Serving} {
			reg := registration()
			reg.State = state
			text, _ := state.MarshalText()
			value := fmt.Sprintf(`{"name":"bj/az1/l7-1","kind":"l7gw","state":%q}`, text)
			if _, err := m.Commit(t.Context(), nil, store.Op{Key: regKey, Value: []byte(value)}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if n.State() != state {
				t.Errorf("registered as %s, node is %s", text, n.State())
			}
		}
	})
}

func TestRegistrationThatVanishesIsWrittenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		_, stop := start(t, m)
		defer stop()
		synctest.Wait()
		if _, err := m.Commit(t.Context(), nil, store.Op{Key: regKey, Delete: true}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, ok := m.kvs[regKey]; !ok {
			t.Error("a running node is not registered")
		}
	})
}

func TestRegistrationIsNotRewrittenWhenUnchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		for range 2 {
			_, stop := start(t, m)
			synctest.Wait()
			stop()
		}
		if n := len(m.to(regKey)); n != 1 {
			t.Errorf("registration was written %d times, want once", n)
		}
	})
}

func TestRegisterWaitsForEtcd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.setDown(true)
		_, stop := start(t, m)
		defer stop()
		pass(10 * time.Second)
		m.setDown(false)
		pass(2 * time.Second)
		if len(m.to(regKey)) != 1 || len(m.to(reportKey)) != 1 {
			t.Errorf("after etcd came back: %d registrations, %d reports", len(m.to(regKey)), len(m.to(reportKey)))
		}
	})
}

func TestReportComesAtOnceThenTwiceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		n, stop := start(t, m)
		defer stop()
		pass(time.Minute)
		before := len(m.to(reportKey))
		if before != 1 {
			t.Fatalf("%d reports while nothing changed, want the first only", before)
		}
		began := time.Now()
		n.Applied("/apisix", 5)
		synctest.Wait()
		if r := m.lastReport(t, reportKey); r.Applied["/apisix"] != 5 {
			t.Fatalf("after the change the report says %v", r.Applied)
		}
		for rev := int64(6); rev < 106; rev++ { // one second of changes
			pass(10 * time.Millisecond)
			n.Applied("/apisix", rev)
		}
		pass(time.Second)
		reports := m.to(reportKey)[before:]
		if len(reports) < 3 || len(reports) > 4 {
			t.Errorf("%d reports in a second of changes, want one at once, then two a second and the last", len(reports))
		}
		if !reports[0].at.Equal(began) {
			t.Errorf("first report came after %s", reports[0].at.Sub(began))
		}
		for i := 1; i < len(reports); i++ {
			if gap := reports[i].at.Sub(reports[i-1].at); gap < reportPause {
				t.Errorf("reports %d and %d are %s apart", i-1, i, gap)
			}
		}
		if r := m.lastReport(t, reportKey); r.Applied["/apisix"] != 105 {
			t.Errorf("last report says %v", r.Applied)
		}
	})
}

func TestReportIsWrittenOnceEtcdIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		n, stop := start(t, m)
		defer stop()
		pass(time.Second)
		m.setDown(true)
		n.Applied("/apisix", 9)
		pass(30 * time.Second)
		m.setDown(false)
		pass(2 * time.Second)
		if r := m.lastReport(t, reportKey); r.Applied["/apisix"] != 9 {
			t.Errorf("report says %v", r.Applied)
		}
	})
}

func TestErrorsAreCappedAndStable(t *testing.T) {
	n := newNode(registration(), newMemory(), Options{})
	for i := 99; i >= 0; i-- {
		n.Refuse(fmt.Sprintf("/apisix/routes/%02d", i), errors.New(strings.Repeat("x", 10_000)))
	}
	r, _ := n.report()
	if len(r.Errors) != 32 || r.Errors[0].Key != "/apisix/routes/00" || r.Errors[31].Key != "/apisix/routes/31" {
		t.Errorf("%d errors from %s", len(r.Errors), r.Errors[0].Key)
	}
	if len(r.Errors[0].Error) > errorBytes {
		t.Errorf("error of %d bytes", len(r.Errors[0].Error))
	}
	for i := range 90 {
		n.Accept(fmt.Sprintf("/apisix/routes/%02d", i))
	}
	if r, _ := n.report(); len(r.Errors) != 10 || r.Errors[0].Key != "/apisix/routes/90" {
		t.Errorf("after repair: %d errors", len(r.Errors))
	}
	for i := range 2 * keptErrors {
		n.Refuse(fmt.Sprint("/apisix/services/", i), errors.New("x"))
	}
	if len(n.refused) != keptErrors {
		t.Errorf("%d errors are kept, want %d", len(n.refused), keptErrors)
	}
}

func TestWaitEndsWithTheRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(registration(), newMemory(), Options{})
		done := make(chan error, 1)
		go func() { done <- n.Wait(t.Context(), "/apisix/", 7) }()
		n.Applied("/apisix", 6)
		n.Applied("/unilb/listeners", 8)
		synctest.Wait()
		if len(done) != 0 {
			t.Fatal("Wait returned too early")
		}
		n.Applied("/apisix", 7)
		if err := <-done; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := n.Wait(ctx, "/apisix", 8); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
	})
}

func TestParseRegistration(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"name":"bj/az1/l7-1","kind":"l7gw","state":"active","new":{}}`: true,
		`{"name":"bj/az1/l7-1","kind":"l7gw"}`:                           true,
		`{"name":"bj/az1/l7-1","kind":"l7gw","state":"gone"}`:            false,
		`{"name":"","kind":"l7gw","state":"active"}`:                     false,
		`{"name":"a//b","kind":"l7gw","state":"active"}`:                 false,
		`{"name":"a/../b","kind":"l7gw","state":"active"}`:               false,
		`{"name":"a","kind":"l7gw/x","state":"active"}`:                  false,
		`{"name":"a","kind":"l7gw","state":"active","underlay":"1.2.3"}`: false,
		`[]`: false,
		``:   false,
	} {
		if _, err := ParseRegistration([]byte(text)); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParseRegistration(f *testing.F) {
	f.Add([]byte(`{"name":"bj/az1/l7-1","kind":"l7gw","underlay":"::1","state":"draining","watches":["/a"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRegistration(b)
		if err == nil && !strings.HasPrefix(RegistryKey(r.Kind, r.Name), RegistryPrefix+r.Kind+"/") {
			t.Errorf("%s: %+v", b, r)
		}
	})
}

func TestHeldReportsWaitAndTheRegistrationDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		n := newNode(registration(), m, Options{})
		release := n.HoldReports()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = n.Run(ctx) }()
		n.Applied("/apisix", 7)
		pass(time.Minute)
		if len(m.to(regKey)) != 1 || len(m.to(reportKey)) != 0 {
			t.Errorf("held: %d registrations, %d reports, want 1, 0", len(m.to(regKey)), len(m.to(reportKey)))
		}
		release()
		synctest.Wait()
		if r := m.lastReport(t, reportKey); r.Applied["/apisix"] != 7 {
			t.Errorf("first report %+v, want revision 7", r)
		}
		cancel()
		<-done
	})
}
