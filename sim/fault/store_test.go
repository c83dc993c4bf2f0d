package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/topology"
)

func TestStoreFaultsDecideWhomTheyTake(t *testing.T) {
	for name, c := range map[string]struct {
		members int
		f       Fault
		want    []topology.Ref
	}{
		"leader":          {3, EtcdLeaderLoss{}, []topology.Ref{"bj/az2/etcd-e2"}},
		"frozen leader":   {3, EtcdLeaderLoss{Region: "bj", How: ByFreeze}, []topology.Ref{"bj/az2/etcd-e2"}},
		"quorum of three": {3, EtcdLoseQuorum{}, []topology.Ref{"bj/az2/etcd-e2", "bj/az3/etcd-e3"}},
		"quorum of two":   {2, EtcdLoseQuorum{}, []topology.Ref{"bj/az2/etcd-e2"}},
		"all are copied":  {3, EtcdBackup{}, []topology.Ref{"bj/az1/etcd-e1", "bj/az2/etcd-e2", "bj/az3/etcd-e3"}},
		"one is replaced": {3, EtcdReplace{On: "bj/az3/etcd-e3"}, []topology.Ref{"bj/az3/etcd-e3"}},
		"all are told":    {3, EtcdCompact{}, []topology.Ref{"bj/az1/etcd-e1", "bj/az2/etcd-e2", "bj/az3/etcd-e3"}},
	} {
		w := newWorld()
		w.stores = fakeStores(w, c.members)
		l, path := ledger(t)
		a, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", c.f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := a.Touches(); !slices.Equal(got, c.want) {
			t.Errorf("%s: touches %v, want %v", name, got, c.want)
		}
		// What was decided is in the ledger: another process can revert it.
		p := pending(t, path)
		if len(p) != 1 {
			t.Fatalf("%s: pending %v", name, p)
		}
		f, err := Decode(p[0].Fault)
		if err != nil || !slices.Equal(f.Touches(w), c.want) {
			t.Errorf("%s: the ledger has %v (%v), want %v", name, f, err, c.want)
		}
		if err := f.Revert(t.Context(), w); err != nil {
			t.Errorf("%s: revert from the ledger: %v", name, err)
		}
		fresh := newWorld()
		fresh.stores = fakeStores(fresh, c.members)
		if !sameStores(w, fresh) {
			t.Errorf("%s: something is left of it", name)
		}
	}
}

func TestCompactionKeepsTheNewestRevisionAndIsNotUndone(t *testing.T) {
	w := newWorld()
	l, _ := ledger(t)
	for _, id := range []string{"f1", "f2"} { // the second finds nothing to forget
		a, err := Inject(t.Context(), w, l, &recorder{}, id, "", EtcdCompact{Region: "bj"})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Heal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.stores["bj"].compacted; got != 7 {
			t.Errorf("compacted at %d, want 7", got)
		}
	}
}

func TestStoreFaultsThatCannotBeDoneAreUnavailable(t *testing.T) {
	down := func(i int) func(*world) {
		return func(w *world) { w.stores["bj"].members[i].running[topology.ProcEtcd] = false }
	}
	members := func(n int) func(*world) { return func(w *world) { w.stores = fakeStores(w, n) } }
	for name, c := range map[string]struct {
		f       Fault
		prepare func(*world)
		machine bool
		want    string
	}{
		"no store":             {EtcdCompact{}, func(w *world) { w.stores = nil }, true, "this lab has no etcd"},
		"no such region":       {EtcdLoseQuorum{Region: "sh"}, nil, false, `no store in region "sh"; there are: bj`},
		"which region":         {EtcdLeaderLoss{}, func(w *world) { w.stores["sh"] = w.stores["bj"] }, false, "say which region's store: bj, sh"},
		"alone":                {EtcdLoseQuorum{}, members(1), false, "one member"},
		"a leader alone":       {EtcdLeaderLoss{}, members(1), false, "0 of 1 members"},
		"one is down":          {EtcdLeaderLoss{}, down(0), false, "1 of 3 members"},
		"one is down already":  {EtcdLoseQuorum{}, down(2), false, "bj/az3/etcd-e3 does not serve"},
		"no quorum to compact": {EtcdCompact{}, func(w *world) { down(0)(w); down(1)(w) }, false, "no quorum"},
		"nothing to forget":    {EtcdCompact{}, func(w *world) { w.stores["bj"].revision = 1 }, false, "nothing was ever written"},
		"misspelt loss":        {EtcdLeaderLoss{How: "sleep"}, nil, false, `how "sleep"`},
		"ordinary disk":        {EtcdSlowDisk{On: "bj/az1/l7-1", Delay: slowly}, func(w *world) { w.machines[0].disk.plain = true }, true, "an ordinary disk"},
		"no backup":            {EtcdRestore{}, nil, false, "never copied; etcd-backup comes before"},
		"one is away":          {EtcdBackup{}, down(2), false, "bj/az3/etcd-e3 does not serve"},
		"no member":            {EtcdReplace{On: "bj/az1/l7-1"}, nil, false, "is no member of a store"},
		"nobody to agree":      {EtcdReplace{On: "bj/az1/etcd-e1"}, down(2), false, "has no quorum"},
		"no delay":             {EtcdSlowDisk{On: "bj/az1/l7-1"}, nil, false, "neither delay nor error"},
		"too slow":             {EtcdSlowDisk{On: "bj/az1/l7-1", Delay: time.Minute}, nil, false, "not between"},
		"unknown error":        {EtcdSlowDisk{On: "bj/az1/l7-1", Error: "EPERM"}, nil, false, "none of EIO, ENOSPC"},
		"nothing on disk":      {ExhaustDisk{On: "bj/az1/l7-1"}, func(w *world) { w.machines[0].disk.size = 0 }, false, "nothing runs on"},
		"nobody's disk":        {ExhaustDisk{On: "sh/**"}, nil, false, "no node is selected"},
	} {
		w := newWorld()
		if c.prepare != nil {
			c.prepare(w)
		}
		l, path := ledger(t)
		_, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", c.f)
		var un *Unavailable
		if !errors.As(err, &un) || un.Machine != c.machine || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want *Unavailable (of the machine: %t) with %q", name, err, c.machine, c.want)
		}
		if len(w.log) != 0 || len(pending(t, path)) != 0 {
			t.Errorf("%s: did %v, pending %v", name, w.log, pending(t, path))
		}
	}
}

func TestStoreAndDiskFaultsThatDoNotTakeHoldFail(t *testing.T) {
	for name, c := range map[string]struct {
		f    Fault
		numb func(*world)
		want string
	}{
		"past is told":    {EtcdCompact{}, func(w *world) { w.stores["bj"].stubborn = true }, "still tells revision 6"},
		"serves alone":    {EtcdLoseQuorum{}, func(w *world) { w.stores["bj"].stubborn = true }, "still follows a leader"},
		"disk is fast":    {EtcdSlowDisk{On: "bj/az1/l7-1", Delay: slowly}, func(w *world) { w.machines[0].disk.numb = true }, "want at least"},
		"disk writes":     {EtcdSlowDisk{On: "bj/az1/l7-1", Error: "EIO"}, func(w *world) { w.machines[0].disk.numb = true }, "does not fail"},
		"disk has room":   {ExhaustDisk{On: "bj/az1/l7-1"}, func(w *world) { w.machines[0].disk.numb = true }, "still has room"},
		"disk is broken":  {ExhaustDisk{On: "bj/az1/l7-1"}, func(w *world) { w.fail = "fill disk" }, "it does not want to"},
		"still listed":    {EtcdReplace{On: "bj/az3/etcd-e3"}, func(w *world) { w.stores["bj"].stubborn = true }, "still lists bj/az3/etcd-e3"},
		"all survive":     {EtcdBackup{}, func(w *world) { w.fail = "kill " + topology.ProcEtcd }, "it does not want to"},
		"member survives": {EtcdLoseQuorum{}, func(w *world) { w.fail = "kill " + topology.ProcEtcd }, "it does not want to"},
	} {
		t.Run(name, func(t *testing.T) {
			w, before := newWorld(), newWorld()
			c.numb(w)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			l, path := ledger(t)
			_, err := Inject(ctx, w, l, &recorder{}, "f1", "", c.f)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if !sameStores(w, before) || len(pending(t, path)) != 0 {
				t.Errorf("something is left, pending %v", pending(t, path))
			}
		})
	}
}

func TestRestoredStoreHasWhatItsBackupHad(t *testing.T) {
	w := newWorld()
	l, _ := ledger(t)
	for i, f := range []Fault{EtcdBackup{}, EtcdRestore{}} {
		a, err := Inject(t.Context(), w, l, &recorder{}, fmt.Sprintf("f%d", i), "", f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range w.stores["bj"].members {
			if m.serves() {
				t.Errorf("%s: %s serves meanwhile", f, m.ref)
			}
		}
		if err := a.Heal(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, m := range w.stores["bj"].members {
			if !m.serves() || m.disk.files != "data" {
				t.Errorf("%s: %s serves: %t, with %q, want what it had before", f, m.ref, m.serves(), m.disk.files)
			}
			m.disk.files = "data, and more"
		}
	}
}

func TestReplacedMemberBeginsWithNothing(t *testing.T) {
	w := newWorld()
	l, _ := ledger(t)
	a, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", EtcdReplace{On: "bj/az2/etcd-e2"})
	if err != nil {
		t.Fatal(err)
	}
	m := w.stores["bj"].members[1]
	if m.serves() || !m.gone || m.disk.files != "" {
		t.Errorf("lost: serves %t, listed %t, with %q; want none of it", m.serves(), !m.gone, m.disk.files)
	}
	w.log = nil
	if err := a.Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := "start " + topology.ProcEtcd + " --new-cluster=false"; !m.serves() || m.gone || !strings.Contains(strings.Join(w.log, "\n"), want) {
		t.Errorf("replaced: serves %t, listed %t, did %v, want %q", m.serves(), !m.gone, w.log, want)
	}
}

func TestFullDiskRestartsWhatEndedAndNothingElse(t *testing.T) {
	w := newWorld()
	m := w.machines[0]
	m.running["lbc-agent"] = false // ended long ago
	l, _ := ledger(t)
	a, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", ExhaustDisk{On: "bj/az1/l7-1"})
	if err != nil {
		t.Fatal(err)
	}
	m.running["gateway"] = false // for want of room
	if err := a.Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !m.running["gateway"] || m.running["lbc-agent"] {
		t.Errorf("running: %v, want the gateway alone", m.running)
	}
	if m.disk.full || m.disk.size != 1<<20 {
		t.Errorf("disk: %+v, want what it was", m.disk)
	}
}
