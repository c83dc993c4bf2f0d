//go:build netns

package lab_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/link"
)

func TestFaultInTheWayOfAnotherIsRefusedByName(t *testing.T) {
	l := up(t)
	down := inject(t, l, fault.LinkDown{Link: "bj/az1/l4-1--bj/edge", Side: fault.SideA})
	killed := inject(t, l, fault.Kill{On: "bj/az1/l4-2", Process: "server"})
	for _, c := range []struct {
		second fault.Fault
		holder string
	}{
		{fault.PowerOff{On: "bj/az1/l4-1"}, "f1"},
		{fault.LinkDown{Link: "bj/edge"}, "f1"},
		{fault.Freeze{On: "bj/az1/*"}, "f2"},
		{fault.PowerOff{On: "bj/az1/l4-2"}, "f2"},
	} {
		var un *fault.Unavailable
		if _, err := l.Inject(ctx(t), c.second); !errors.As(err, &un) || !strings.Contains(err.Error(), "in force already: "+c.holder) {
			t.Errorf("%s: got %v, want that %s is in force already", c.second, err, c.holder)
		}
	}
	wantState(t, l, "bj/az1/l4-1", "eth0", link.State{})
	heal(t, down, killed)
	heal(t, inject(t, l, fault.PowerOff{On: "bj/az1/l4-1"}))
	wantServed(t, node(t, l, "client/inet-1"), "10.0.1.1:80", "bj/az1/l4-1")
	wantNothingPending(t, l)
}

func TestHealingOnePartitionLeavesTheOtherInForce(t *testing.T) {
	l := up(t)
	a, b := datagrams(t, node(t, l, "client/inet-1")), datagrams(t, node(t, l, "idc/bj/blue-1"))
	both := inject(t, l, fault.Partition{A: "client/*", B: "idc/**"})
	oneWay := inject(t, l, fault.Partition{A: "client/*", B: "idc/**", Direction: fault.AToB})
	heal(t, both)
	if crosses(a, b, 100*time.Millisecond) {
		t.Error("healing the first partition undid the second")
	}
	if !crosses(b, a, 5*time.Second) {
		t.Error("the direction that the second leaves open is closed")
	}
	heal(t, oneWay)
	if !crosses(a, b, 5*time.Second) {
		t.Error("nothing crosses after healing both")
	}
	wantNothingPending(t, l)
}
