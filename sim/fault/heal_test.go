package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// needy is a fault whose revert ends when another one has been reverted.
type needy struct {
	Kill
	begun, free chan struct{}
}

func (n needy) Revert(ctx context.Context, t Target) error {
	close(n.begun)
	select {
	case <-n.free:
		return n.Kill.Revert(ctx, t)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
func (n needy) MarshalJSON() ([]byte, error) { return json.Marshal(n.Kill) }

// freeing frees a needy one when it is reverted.
type freeing struct {
	Partition
	free chan struct{}
}

func (f freeing) Revert(ctx context.Context, t Target) error {
	close(f.free)
	return f.Partition.Revert(ctx, t)
}
func (f freeing) MarshalJSON() ([]byte, error) { return json.Marshal(f.Partition) }

func TestHealAllEndsWhateverTheOrderInWhichRevertsNeedEachOther(t *testing.T) {
	w, before := newWorld(), newWorld()
	l, path := ledger(t)
	free := make(chan struct{})
	var active []*Active
	for i, f := range []Fault{ // in the worst order
		needy{Kill{On: "bj/az1/l7-1", Process: "gateway"}, make(chan struct{}), free},
		freeing{Partition{A: "bj/az1/*", B: "bj/az2/*"}, free},
	} {
		a, err := Inject(t.Context(), w, l, &recorder{}, fmt.Sprint("f", i), "", f)
		if err != nil {
			t.Fatal(err)
		}
		active = append(active, a)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := HealAll(ctx, active); err != nil || !same(w, before) || len(pending(t, path)) != 0 {
		t.Errorf("got %v, pending %v", err, pending(t, path))
	}
}

func TestRevertUnderWayHoldsUpNobodyWhoLooksOrTakesTheLabDown(t *testing.T) {
	l, path := ledger(t)
	n := needy{Kill{On: "bj/az1/l7-1"}, make(chan struct{}), make(chan struct{})}
	a, err := Inject(t.Context(), newWorld(), l, &recorder{}, "f1", "", n)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- a.Heal(t.Context()) }()
	<-n.begun
	looked := make(chan error)
	go func() {
		if a.Healed() || !a.Window().Open() {
			t.Error("it is healed before its revert has ended")
		}
		looked <- a.Abandon()
	}()
	select {
	case err := <-looked:
		if err != nil || len(pending(t, path)) != 0 {
			t.Errorf("abandon: %v, pending %v", err, pending(t, path))
		}
	case <-time.After(10 * time.Second):
		t.Error("whoever looks waits for the revert")
	}
	close(n.free)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
