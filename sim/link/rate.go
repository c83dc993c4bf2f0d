package link

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// rateHandle is the handle of our queueing discipline ("LB"): by it we know what
// we may remove.
var rateHandle = netlink.MakeHandle(0x4c42, 0)

// How a rate limit is shaped. A burst must hold one whole packet, or that packet
// never leaves; a queue shorter than a few of them starves TCP.
const (
	rateBurst    = 10 * time.Millisecond // of the rate
	rateQueue    = 50 * time.Millisecond
	minRateBurst = 4 << 10 // bytes
	minRateQueue = 32 << 10
	maxRateQueue = 64 << 20
)

// SetRate limits what leaves by an interface to bits a second, counted in bytes
// of the Ethernet frame. Large segments are cut before they are counted. Setting
// another rate replaces ours; a queueing discipline that is not ours is left alone
// and an error.
func (s *Stack) SetRate(ifname string, bits int64) error {
	if bits < 8 {
		return fmt.Errorf("limit %s to %d bit/s: want 8 at least", ifname, bits)
	}
	l, err := s.byName(ifname)
	if err != nil {
		return err
	}
	if _, err := s.rootQdisc(l); err != nil {
		return err
	}
	rate := uint64(bits / 8)
	of := func(d time.Duration, least, most uint64) uint32 {
		return uint32(min(max(rate*uint64(d)/uint64(time.Second), least), most))
	}
	burst := of(rateBurst, minRateBurst, maxRateQueue)
	q := &netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: l.Attrs().Index, Handle: rateHandle, Parent: netlink.HANDLE_ROOT},
		Rate:       rate, Limit: burst + of(rateQueue, minRateQueue, maxRateQueue),
		Buffer: netlink.Xmittime(rate, burst),
	}
	if err := s.nl.QdiscReplace(q); err != nil {
		return fmt.Errorf("limit %s to %d bit/s: %w", ifname, bits, err)
	}
	return nil
}

// Rate is the limit that SetRate put on an interface, in bits a second as the
// kernel has it; 0: none.
func (s *Stack) Rate(ifname string) (int64, error) {
	l, err := s.byName(ifname)
	if err != nil {
		return 0, err
	}
	q, err := s.rootQdisc(l)
	if err != nil || q == nil {
		return 0, err
	}
	return int64(q.Rate) * 8, nil
}

// ClearRate removes what SetRate put there. It is no error when there is nothing.
func (s *Stack) ClearRate(ifname string) error {
	l, err := s.byName(ifname)
	if err != nil {
		return err
	}
	q, err := s.rootQdisc(l)
	if err != nil || q == nil {
		return err
	}
	if err := s.nl.QdiscDel(q); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("remove the rate limit of %s: %w", ifname, err)
	}
	return nil
}

// rootQdisc is our rate limit; nil when the interface has what the kernel gave it.
// The error says that it has somebody else's.
func (s *Stack) rootQdisc(l netlink.Link) (*netlink.Tbf, error) {
	list, err := s.nl.QdiscList(l)
	if err != nil {
		return nil, fmt.Errorf("list queueing disciplines of %s: %w", l.Attrs().Name, err)
	}
	for _, q := range list {
		if q.Attrs().Parent != netlink.HANDLE_ROOT || q.Attrs().Handle == 0 {
			continue // the kernel's default has no handle
		}
		if tbf, ok := q.(*netlink.Tbf); ok && q.Attrs().Handle == rateHandle {
			return tbf, nil
		}
		return nil, fmt.Errorf("%s has a queueing discipline that is not ours: %s %s", l.Attrs().Name, q.Type(), netlink.HandleStr(q.Attrs().Handle))
	}
	return nil, nil
}
