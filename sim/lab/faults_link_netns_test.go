//go:build netns

package lab_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/topology"
)

func TestLinkThatIsDownTakesTheCarrierOfItsOtherEnd(t *testing.T) {
	l := up(t)
	client := node(t, l, "client/inet-1")
	type end struct {
		node topology.Ref
		dev  string
	}
	for _, c := range []struct {
		link topology.LinkSelector
		side fault.Side
		down []end
		dark []end // up without a carrier
		at   string
	}{
		{"bj/az1/l4-1--bj/edge", fault.SideA, []end{{"bj/az1/l4-1", "eth0"}}, []end{{"bj/edge", "eth1"}}, "10.0.1.1:80"},
		{"bj/az1/l4-1--bj/edge", fault.SideB, []end{{"bj/edge", "eth1"}}, []end{{"bj/az1/l4-1", "eth0"}}, "10.0.1.1:80"},
		{"bj/edge--bj/az1/l4-1", fault.SideB, []end{{"bj/az1/l4-1", "eth0"}}, []end{{"bj/edge", "eth1"}}, "10.0.1.1:80"},
		{"bj/az1/l4-1", fault.BothSides, []end{{"bj/edge", "eth1"}, {"bj/az1/l4-1", "eth0"}}, nil, "10.0.1.1:80"},
		{"idc/**", fault.SideA, []end{{"idc/bj/blue-1", "eth0"}}, []end{{"bj/edge", "eth3"}}, "10.20.0.1:8080"},
		{"idc/**", fault.SideB, []end{{"bj/edge", "eth3"}}, []end{{"idc/bj/blue-1", "eth0"}}, "10.20.0.1:8080"},
	} {
		t.Run(fmt.Sprintf("%s %s", c.link, c.side), func(t *testing.T) {
			connects := func(within time.Duration) error {
				conn, err := dialWithin(t, client, c.at, within)
				if err == nil {
					conn.Close()
				}
				return err
			}
			for _, e := range append(c.down, c.dark...) {
				wantState(t, l, e.node, e.dev, link.State{Up: true, Carrier: true})
			}
			if err := connects(5 * time.Second); err != nil {
				t.Fatalf("before: %v", err)
			}
			a := inject(t, l, fault.LinkDown{Link: c.link, Side: c.side})
			for _, e := range c.down {
				wantState(t, l, e.node, e.dev, link.State{})
			}
			for _, e := range c.dark {
				wantState(t, l, e.node, e.dev, link.State{Up: true})
			}
			if connects(200*time.Millisecond) == nil {
				t.Error("a connection came about over the dead link")
			}
			heal(t, a)
			for _, e := range append(c.down, c.dark...) {
				wantState(t, l, e.node, e.dev, link.State{Up: true, Carrier: true})
			}
			// Answers need the routes that the kernel forgot with the interface.
			if err := connects(10 * time.Second); err != nil {
				t.Errorf("after healing: %v", err)
			}
		})
	}
	until(t, "both legs are back", func() bool { return legIn(l, 0) && legIn(l, 1) })
	if who := served(t, l, 20); who["bj/az1/l4-1"] == 0 || who["bj/az1/l4-2"] == 0 || len(who) != 2 {
		t.Errorf("answers by %v, want both servers and nothing else", who)
	}
	wantNothingPending(t, l)
}

func wantState(t *testing.T, l *lab.Lab, ref topology.Ref, dev string, want link.State) {
	t.Helper()
	got, err := node(t, l, ref).Link().State(dev)
	if err != nil || got != want {
		t.Errorf("%s of %s: got %+v (%v), want %+v", dev, ref, got, err, want)
	}
}
