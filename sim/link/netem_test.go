package link

import (
	"math"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

func TestNetemIsSaidInTheUnitsOfTheKernel(t *testing.T) {
	got := netlink.NewNetem(netlink.QdiscAttrs{}, Netem{
		Delay: 5 * time.Millisecond, Jitter: time.Millisecond, Loss: 0.25, Duplicate: 0.5, Corrupt: 1, Reorder: 0.125,
		Rate: 100_000_000_000, Limit: 77,
	}.attrs())
	// Shares are of 2^32, the rate is in bytes, and a reorder wants a gap of one.
	share := func(name string, got uint32, want float64) {
		if math.Abs(float64(got)/math.MaxUint32-want) > 1e-6 {
			t.Errorf("%s: got %d of 2^32, want %v", name, got, want)
		}
	}
	share("loss", got.Loss, 0.25)
	share("duplicate", got.Duplicate, 0.5)
	share("corrupt", got.CorruptProb, 1)
	share("reorder", got.ReorderProb, 0.125)
	if got.Gap != 1 || got.Rate64 != 12_500_000_000 || got.Limit != 77 {
		t.Errorf("gap %d, rate %d bytes a second, limit %d; want 1, 12500000000, 77", got.Gap, got.Rate64, got.Limit)
	}
	ticks := netlink.NewNetem(netlink.QdiscAttrs{}, netlink.NetemQdiscAttrs{Latency: 5000, Jitter: 1000})
	if got.Latency != ticks.Latency || got.Jitter != ticks.Jitter || got.Latency == 0 {
		t.Errorf("latency %d and jitter %d, want the ticks of 5000us and 1000us, %d and %d", got.Latency, got.Jitter, ticks.Latency, ticks.Jitter)
	}
}
