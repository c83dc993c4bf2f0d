package link

import (
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A State is what an interface says about its cable.
type State struct {
	Up bool // administratively
	// Carrier says that the other end is up, too, and that the kernel has acted
	// on it: its routes by the interface are in use again. That takes it up to a
	// second after the cable is back.
	Carrier bool
}

// State returns the state of an interface.
func (s *Stack) State(ifname string) (State, error) {
	l, err := s.byName(ifname)
	if err != nil {
		return State{}, err
	}
	const both = unix.IFF_RUNNING | unix.IFF_LOWER_UP
	flags := l.Attrs().RawFlags
	return State{Up: flags&unix.IFF_UP != 0, Carrier: flags&both == both}, nil
}

// SetCarrier tells a TAP interface whether its cable is whole. The two ends of a
// veth pair tell each other.
func (s *Stack) SetCarrier(ifname string, on bool) error {
	l, err := s.byName(ifname)
	if err != nil {
		return err
	}
	value := []byte{0}
	if on {
		value[0] = 1
	}
	err = s.ns.Do(func() error {
		req := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
		msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
		msg.Index = int32(l.Attrs().Index)
		req.AddData(msg)
		req.AddData(nl.NewRtAttr(unix.IFLA_CARRIER, value))
		_, err := req.Execute(unix.NETLINK_ROUTE, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("set carrier of %s to %t: %w", ifname, on, err)
	}
	return nil
}
