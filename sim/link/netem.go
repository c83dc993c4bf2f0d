package link

import (
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
)

// A Netem is what the kernel's netem queueing discipline does to what leaves an
// interface. Shares are of 1.
type Netem struct {
	Delay, Jitter                     time.Duration // in whole microseconds
	Loss, Duplicate, Corrupt, Reorder float64
	Rate                              int64 // bits a second; 0: unlimited
	Limit                             int   // frames under way
}

// NetemStats are the counters of a netem since it was put on its interface.
type NetemStats struct {
	Frames, Bytes uint64 // that left
	Dropped       uint64 // lost, or more than the limit
	Queued        uint64 // frames under way
}

// attrs are the netlink attributes of a netem.
func (n Netem) attrs() netlink.NetemQdiscAttrs {
	const percent = 100
	return netlink.NetemQdiscAttrs{
		Latency: uint32(n.Delay.Microseconds()), Jitter: uint32(n.Jitter.Microseconds()),
		Loss: float32(n.Loss * percent), Duplicate: float32(n.Duplicate * percent),
		CorruptProb: float32(n.Corrupt * percent), ReorderProb: float32(n.Reorder * percent),
		Rate64: uint64(n.Rate / 8), // bytes a second
		Limit:  uint32(n.Limit),
	}
}

// SetNetem puts a netem on an interface. With the generation that is on it already
// it changes that one, and frames under way stay; another generation takes its
// place, counts from nothing, and what was under way is lost.
func (s *Stack) SetNetem(ifname string, generation uint16, n Netem) error {
	l, err := s.byName(ifname)
	if err != nil {
		return err
	}
	q := netlink.NewNetem(netlink.QdiscAttrs{
		LinkIndex: l.Attrs().Index, Parent: netlink.HANDLE_ROOT, Handle: netlink.MakeHandle(generation, 0),
	}, n.attrs())
	if err := s.nl.QdiscReplace(q); err != nil {
		return fmt.Errorf("put netem on %s: %w", ifname, err)
	}
	return nil
}

// NetemStats reads the counters of the netem on an interface.
func (s *Stack) NetemStats(ifname string) (NetemStats, error) {
	l, err := s.byName(ifname)
	if err != nil {
		return NetemStats{}, err
	}
	list, err := s.nl.QdiscList(l)
	if err != nil {
		return NetemStats{}, fmt.Errorf("list queueing disciplines of %s: %w", ifname, err)
	}
	for _, q := range list {
		st := q.Attrs().Statistics
		if q.Type() != "netem" || st == nil || st.Basic == nil || st.Queue == nil {
			continue
		}
		return NetemStats{
			Frames: uint64(st.Basic.Packets), Bytes: st.Basic.Bytes,
			Dropped: uint64(st.Queue.Drops), Queued: uint64(st.Queue.Qlen),
		}, nil
	}
	return NetemStats{}, fmt.Errorf("no netem on %s", ifname)
}
