package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/netns"
)

// sniffBuffer is how many bytes of frames wait for a sniffer that is not given a
// CPU; further ones are dropped and counted.
const sniffBuffer = 8 << 20

// Sniffed is what a sniffer saw.
type Sniffed struct {
	Frames  uint64 `json:"frames"`
	Bytes   uint64 `json:"bytes"`   // on the link
	Dropped uint64 `json:"dropped"` // on the link, but not given to the sink
}

// A Sniffer looks at the frames of one interface.
type Sniffer struct {
	f    *os.File
	raw  syscall.RawConn
	done chan struct{}
	seen Sniffed
	err  error
}

// Sniff gives the frames of an interface inside ns to a sink until ctx ends. When
// it returns the first frame is already being waited for. What the interface sends
// is Outbound. It needs CAP_NET_RAW in the namespace.
//
// Checksums that are left to a device are not made yet where a sniffer looks, so
// most of what a node sends itself has wrong ones in the capture.
func Sniff(ctx context.Context, ns *netns.NS, ifname string, to Sink) (*Sniffer, error) {
	s := &Sniffer{done: make(chan struct{})}
	err := ns.Do(func() error {
		fd, err := openSniffer(ifname)
		if err == nil {
			s.f = os.NewFile(uintptr(fd), "sniffer of "+ifname)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("capture %s: %w", ifname, err)
	}
	if s.raw, err = s.f.SyscallConn(); err != nil {
		return nil, errors.Join(fmt.Errorf("capture %s: %w", ifname, err), s.f.Close())
	}
	go s.run(to)
	context.AfterFunc(ctx, func() { _ = s.f.SetReadDeadline(time.Now()) })
	return s, nil
}

// Wait returns what was seen when the context of Sniff has ended.
func (s *Sniffer) Wait() (Sniffed, error) {
	<-s.done
	return s.seen, s.err
}

// openSniffer runs inside the namespace.
func openSniffer(ifname string) (int, error) {
	i, err := net.InterfaceByName(ifname)
	if err != nil {
		return -1, err
	}
	// Protocol 0: nothing comes before bind says which interface is meant.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open packet socket: %w", err)
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, sniffBuffer),
	)
	if err == nil {
		all := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL}) // in network order
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: i.Index})
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("set packet socket up: %w", err)
	}
	return fd, nil
}

func (s *Sniffer) run(to Sink) {
	defer close(s.done)
	frame, control := make([]byte, Snap), make([]byte, 128)
	var err error
	for err == nil {
		wait := s.raw.Read(func(fd uintptr) bool {
			err = s.one(int(fd), to, frame, control)
			return !errors.Is(err, unix.EAGAIN)
		})
		if wait != nil {
			err = wait
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		s.err = fmt.Errorf("capture: %w", err)
	}
	// What came before the end is still part of it.
	last := s.raw.Control(func(fd uintptr) {
		for range maxLeft {
			if s.one(int(fd), to, frame, control) != nil {
				break
			}
		}
		s.countDropped(int(fd), to)
	})
	s.err = errors.Join(s.err, last, s.f.Close())
}

// maxLeft bounds what is read after the end: more frames than the buffer holds.
const maxLeft = sniffBuffer / 64

// one takes a frame if there is one; the error is EAGAIN if there is none.
func (s *Sniffer) one(fd int, to Sink, frame, control []byte) error {
	// With MSG_TRUNC the length is that of the frame, not of what was copied.
	length, controls, _, from, err := unix.Recvmsg(fd, frame, control, unix.MSG_TRUNC)
	if errors.Is(err, unix.EINTR) || errors.Is(err, unix.ENETDOWN) {
		return nil // down is said once; frames come again when the interface is up
	}
	if err != nil {
		return err
	}
	d := Inbound
	if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype == unix.PACKET_OUTGOING {
		d = Outbound
	}
	s.seen.Frames++
	s.seen.Bytes += uint64(length)
	to.Add(stamp(control[:controls]), d, "", frame[:min(length, len(frame))], length)
	return nil
}

// stamp is when the kernel saw the frame, on the clocks of this process: the
// kernel's stamp is of the wall clock, which may be stepped.
func stamp(control []byte) time.Time {
	now := time.Now()
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return now
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= 16 {
			sec, nsec := int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:]))
			age := now.Sub(time.Unix(sec, nsec))
			return now.Add(-min(max(age, 0), time.Minute))
		}
	}
	return now
}

func (s *Sniffer) countDropped(fd int, to Sink) {
	stats, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		s.err = errors.Join(s.err, fmt.Errorf("count dropped frames: %w", err))
		return
	}
	s.seen.Dropped = uint64(stats.Drops)
	if s.seen.Dropped > 0 {
		to.Lose(s.seen.Dropped)
	}
}
