package wire

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/topology"
)

func TestImpairmentsAreSaidInTheWordsOfNetem(t *testing.T) {
	for _, c := range []struct {
		name string
		i    topology.Impairment
		want link.Netem
	}{
		{"nothing", topology.Impairment{}, link.Netem{Limit: netemLimit}},
		{"all",
			topology.Impairment{Delay: 5 * time.Millisecond, Loss: 0.1, Duplicate: 0.2, Corrupt: 0.3, Reorder: 0.4, Rate: 8e6},
			link.Netem{Delay: 5 * time.Millisecond, Loss: 0.1, Duplicate: 0.2, Corrupt: 0.3, Reorder: 0.4, Rate: 8e6, Limit: netemLimit}},
		{"jitter must not reorder",
			topology.Impairment{Delay: 5 * time.Millisecond, Jitter: time.Millisecond},
			link.Netem{Delay: 5 * time.Millisecond, Jitter: time.Millisecond, Rate: maxRate, Limit: netemLimit}},
		{"jitter with a rate",
			topology.Impairment{Jitter: time.Millisecond, Rate: 8e6},
			link.Netem{Delay: time.Microsecond, Jitter: time.Millisecond, Rate: 8e6, Limit: netemLimit}},
	} {
		if got, err := netemOf(c.i); err != nil || got != c.want {
			t.Errorf("%s: got %+v (%v), want %+v", c.name, got, err, c.want)
		}
	}
}

func TestNetemSaysWhatItCannotDo(t *testing.T) {
	for _, i := range []topology.Impairment{
		{MaxPacket: 1400}, {At: []topology.Position{{Frame: 1, Do: "drop"}}},
	} {
		if _, err := netemOf(i); !errors.Is(err, ErrBeyondNetem) {
			t.Errorf("%+v: got %v, want %v", i, err, ErrBeyondNetem)
		}
	}
	if _, err := netemOf(topology.Impairment{Loss: 2}); err == nil || errors.Is(err, ErrBeyondNetem) {
		t.Errorf("loss 2: got %v, want an error about the number", err)
	}
}

// fakeShaper plays a kernel that has netem.
type fakeShaper struct {
	sets  []set
	now   link.NetemStats
	error error
}

type set struct {
	generation uint16
	n          link.Netem
}

func (f *fakeShaper) set(generation uint16, n link.Netem) error {
	if f.error != nil {
		return f.error
	}
	if len(f.sets) > 0 && f.sets[len(f.sets)-1].generation != generation {
		f.now = link.NetemStats{}
	}
	f.sets = append(f.sets, set{generation, n})
	return nil
}

func (f *fakeShaper) stats() (link.NetemStats, error) { return f.now, nil }

func TestCutOverNetemTakesWhatIsUnderWayAndKeepsCounting(t *testing.T) {
	kernel := &fakeShaper{}
	d := &netemDirection{via: kernel, generation: 1}
	slow := topology.Impairment{Delay: time.Second}
	if err := d.impair(slow); err != nil {
		t.Fatal(err)
	}
	kernel.now = link.NetemStats{Frames: 10, Bytes: 1000, Dropped: 2, Queued: 5}
	d.setCut(true)
	kernel.now = link.NetemStats{Dropped: 7}
	if err := d.impair(topology.Impairment{Delay: time.Minute}); err == nil {
		t.Error("a delay of a minute was taken")
	}
	slower := topology.Impairment{Delay: 2 * time.Second}
	if err := d.impair(slower); err != nil { // in force when the wire is mended
		t.Fatal(err)
	}
	d.setCut(true)
	d.setCut(false)
	kernel.now = link.NetemStats{Frames: 1, Bytes: 100}
	want := []set{
		{1, link.Netem{Delay: time.Second, Limit: netemLimit}},
		{2, link.Netem{Loss: 1, Limit: netemLimit}},
		{1, link.Netem{Delay: 2 * time.Second, Limit: netemLimit}},
	}
	if !slices.Equal(kernel.sets, want) {
		t.Errorf("the kernel was told %+v, want %+v", kernel.sets, want)
	}
	if got, want := d.counts(false), (Stats{Entered: 25, Frames: 11, Bytes: 1100, Lost: 2, Cut: 12}); !reflect.DeepEqual(got, want) {
		t.Errorf("counters: got %+v, want %+v", got, want)
	}
}

func TestCutThatTheKernelRefusesIsNoCut(t *testing.T) {
	kernel := &fakeShaper{error: errors.New("not today")}
	d := &netemDirection{via: kernel, generation: 1}
	d.setCut(true)
	if d.cut {
		t.Error("the direction says that it is cut")
	}
	if err := d.impair(topology.Impairment{Loss: 0.5}); err == nil || d.set.Loss != 0 {
		t.Errorf("impair: got %v, in force %+v", err, d.set)
	}
}
