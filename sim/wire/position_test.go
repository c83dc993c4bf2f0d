package wire

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/topology"
)

// hits are the frames, counted from 1, to which the positions do something.
func hits(t *testing.T, frames []made, at ...topology.Position) []int {
	t.Helper()
	ps, err := newPlaces(at)
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for i, m := range frames {
		p, ok := parseFrame(m.frame())
		if !ok {
			t.Fatalf("frame %d is not read", i)
		}
		if ps.deeds(&p).any {
			out = append(out, i+1)
		}
	}
	return out
}

func TestEachFlowIsCountedByItself(t *testing.T) {
	a := made{proto: protoTCP, src: "10.0.0.1:5", dst: "10.0.0.2:80", payload: make([]byte, 100)}
	b := made{proto: protoTCP, src: "10.0.0.1:6", dst: "10.0.0.2:80", payload: make([]byte, 100)}
	u := made{proto: protoUDP, src: "10.0.0.1:5", dst: "10.0.0.2:80", payload: make([]byte, 100)}
	frames := []made{a, b, u, a, a, b, u, b, a}
	for _, c := range []struct {
		name string
		at   topology.Position
		want []int
	}{
		{"frame 2 of each TCP flow", topology.Position{Flow: &topology.Flow{Proto: "tcp"}, Frame: 2, Do: "drop"}, []int{4, 6}},
		{"frame 2 of all", topology.Position{Frame: 2, Do: "drop"}, []int{2}},
		{"frame 1 by port", topology.Position{Flow: &topology.Flow{Src: ":6"}, Frame: 1, Do: "drop"}, []int{2}},
		{"frame 1 by address and port", topology.Position{Flow: &topology.Flow{Proto: "udp", Dst: "10.0.0.2:80"}, Frame: 1, Do: "drop"}, []int{3}},
		{"another address", topology.Position{Flow: &topology.Flow{Dst: "10.0.0.3"}, Frame: 1, Do: "drop"}, nil},
		{"beyond 200 bytes", topology.Position{Flow: &topology.Flow{Proto: "tcp"}, Bytes: 200, Do: "drop"}, []int{5, 8, 9}},
		{"beyond 250 bytes of all", topology.Position{Bytes: 250, Do: "drop"}, []int{3, 4, 5, 6, 7, 8, 9}},
	} {
		if got := hits(t, frames, c.at); !slices.Equal(got, c.want) {
			t.Errorf("%s: got frames %v, want %v", c.name, got, c.want)
		}
	}
}

func TestFlowsBeyondTheLimitAreCountedAsUntracked(t *testing.T) {
	ps, err := newPlaces([]topology.Position{{Flow: &topology.Flow{}, Frame: 1, Do: "drop"}})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := parseFrame(made{proto: protoTCP, src: "10.0.0.1:5", dst: "10.0.0.2:80"}.frame())
	for i := range MaxFlows {
		p.sport = uint16(i)
		if d := ps.deeds(&p); !d.drop || d.untracked {
			t.Fatalf("flow %d: %+v", i, d)
		}
	}
	p.sport = MaxFlows
	if d := ps.deeds(&p); d.any || !d.untracked {
		t.Errorf("one flow more: got %+v, want untracked", d)
	}
}

func TestWrongImpairmentsAreRefusedWithAReason(t *testing.T) {
	at := func(p topology.Position) topology.Impairment { return topology.Impairment{At: []topology.Position{p}} }
	for _, c := range []struct {
		i    topology.Impairment
		want string
	}{
		{topology.Impairment{Loss: 1.5}, "loss 1.5"},
		{topology.Impairment{Corrupt: math.NaN()}, "corrupt NaN"},
		{topology.Impairment{Delay: -time.Second}, "delay -1s"},
		{topology.Impairment{Jitter: time.Hour}, "jitter 1h"},
		{topology.Impairment{Rate: -1}, "rate -1"},
		{topology.Impairment{Reorder: 0.1}, "reorder 0.1 without a delay"},
		{topology.Impairment{MaxPacket: 70000}, "max-packet 70000"},
		{topology.Impairment{At: make([]topology.Position, 65)}, "65 positions"},
		{at(topology.Position{Do: "drop"}), "at[0]: exactly one of frame and bytes"},
		{at(topology.Position{Do: "drop", Frame: 1, Bytes: 1}), "exactly one"},
		{at(topology.Position{Do: "explode", Frame: 1}), `do "explode"`},
		{at(topology.Position{Do: "delay", Frame: 1}), "by 0s"},
		{at(topology.Position{Do: "drop", Frame: 1, By: time.Second}), "by 1s"},
		{at(topology.Position{Do: "drop", Frame: 1, Flow: &topology.Flow{Proto: "sctp"}}), `proto "sctp"`},
		{at(topology.Position{Do: "drop", Frame: 1, Flow: &topology.Flow{Src: "here"}}), `src: "here"`},
		{at(topology.Position{Do: "drop", Frame: 1, Flow: &topology.Flow{Dst: "10.0.0.1:0"}}), `dst: "10.0.0.1:0"`},
	} {
		err := Check(c.i)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want an error with %q", c.i, err, c.want)
		}
	}
	good := topology.Impairment{Delay: maxDelay, Loss: 1, Rate: maxRate, At: []topology.Position{
		{Frame: 7, Do: "delay", By: time.Minute, Flow: &topology.Flow{Proto: "tcp", Src: ":80", Dst: "10.0.0.1"}},
	}}
	if err := Check(good); err != nil {
		t.Errorf("%+v: %v", good, err)
	}
}

func TestQueueGivesFramesByTimeAndThenByOrder(t *testing.T) {
	base := time.Now()
	var q queue
	for i, ms := range []int{5, 1, 9, 1, 5, 0, 7, 7, 2} {
		q.push(newFrame(nil, base.Add(time.Duration(ms)*time.Millisecond), uint64(i)))
	}
	var got []string
	for len(q) > 0 {
		f := q.pop()
		got = append(got, fmt.Sprintf("%d#%d", f.due.Sub(base).Milliseconds(), f.seq))
	}
	want := []string{"0#5", "1#1", "1#3", "2#8", "5#0", "5#4", "7#6", "7#7", "9#2"}
	if !slices.Equal(got, want) {
		t.Errorf("order: got %v, want %v", got, want)
	}
}
