package link

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Numbers of a resilient nexthop group. With an idle timer of a minute and no
// unbalanced timer no live flow ever moves: a leg that returns gets idle buckets
// only, and a leg that leaves gives up its own.
const (
	groupBuckets        = 256
	groupIdleCentis     = 60 * 100 // hundredths of a second
	groupUnbalancedCent = 0        // never
)

// twin is set in the id of a leg's second nexthop. Every leg is in its group
// twice: the kernel notes which buckets are in use only while a group has more
// than one nexthop, so a group that was down to its last leg would give half of
// its live flows to the leg that returns.
const twin = 1 << 20

// Attributes that x/sys/unix does not name.
const (
	nhaResGroup           = 12 // NHA_RES_GROUP
	nhaResGroupBuckets    = 1
	nhaResGroupIdle       = 2
	nhaResGroupUnbalanced = 3
	nhGroupTypeRes        = 1 // NEXTHOP_GRP_TYPE_RES
	rtaNhID               = 30
	nlaTypeMask           = 0x3fff // attribute type without its flags
)

// A Leg is one nexthop of a group.
type Leg struct {
	ID  uint32 // id of the nexthop in its namespace, below 2^20, never that of a group
	Via netip.Addr
	Dev string
}

// A Group is a resilient ECMP group and the destinations that use it.
type Group struct {
	ID     uint32
	Dsts   []netip.Prefix
	Active []Leg // at least one
}

// SetGroup makes the kernel's group equal to g: legs are added or taken out,
// without touching the flows of those that stay, and the routes point to it. It
// may be repeated: the kernel forgets nexthops, groups and routes when an
// interface goes down.
func (s *Stack) SetGroup(g Group) error {
	return s.ns.Do(func() error {
		var members []byte
		for _, leg := range g.Active {
			for _, id := range []uint32{leg.ID, leg.ID | twin} {
				if err := s.setNexthop(id, leg); err != nil {
					return err
				}
				members = append(members, nl.Uint32Attr(id)...)
				members = append(members, 0, 0, 0, 0) // weight 1
			}
		}
		req := nexthopRequest(unix.RTM_NEWNEXTHOP, unix.NLM_F_CREATE|unix.NLM_F_REPLACE|unix.NLM_F_ACK, unix.AF_UNSPEC)
		req.AddData(nl.NewRtAttr(unix.NHA_ID, nl.Uint32Attr(g.ID)))
		req.AddData(nl.NewRtAttr(unix.NHA_GROUP, members))
		req.AddData(nl.NewRtAttr(unix.NHA_GROUP_TYPE, nl.Uint16Attr(nhGroupTypeRes)))
		res := nl.NewRtAttr(unix.NLA_F_NESTED|nhaResGroup, nil)
		res.AddRtAttr(nhaResGroupBuckets, nl.Uint16Attr(groupBuckets))
		res.AddRtAttr(nhaResGroupIdle, nl.Uint32Attr(groupIdleCentis))
		res.AddRtAttr(nhaResGroupUnbalanced, nl.Uint32Attr(groupUnbalancedCent))
		req.AddData(res)
		if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil {
			return fmt.Errorf("set nexthop group %d: %w", g.ID, err)
		}
		for _, dst := range g.Dsts {
			if err := routeToGroup(dst, g.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Stack) setNexthop(id uint32, leg Leg) error {
	l, err := s.byName(leg.Dev)
	if err != nil {
		return err
	}
	req := nexthopRequest(unix.RTM_NEWNEXTHOP, unix.NLM_F_CREATE|unix.NLM_F_REPLACE|unix.NLM_F_ACK, unix.AF_INET)
	req.AddData(nl.NewRtAttr(unix.NHA_ID, nl.Uint32Attr(id)))
	req.AddData(nl.NewRtAttr(unix.NHA_OIF, nl.Uint32Attr(uint32(l.Attrs().Index))))
	req.AddData(nl.NewRtAttr(unix.NHA_GATEWAY, leg.Via.AsSlice()))
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil {
		return fmt.Errorf("set nexthop via %s dev %s: %w", leg.Via, leg.Dev, err)
	}
	return nil
}

func routeToGroup(dst netip.Prefix, group uint32) error {
	req := nl.NewNetlinkRequest(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_REPLACE|unix.NLM_F_ACK)
	msg := nl.NewRtMsg()
	msg.Family, msg.Dst_len = unix.AF_INET, uint8(dst.Bits())
	msg.Protocol, msg.Scope = unix.RTPROT_STATIC, unix.RT_SCOPE_UNIVERSE
	req.AddData(msg)
	req.AddData(nl.NewRtAttr(unix.RTA_DST, dst.Addr().AsSlice()))
	req.AddData(nl.NewRtAttr(rtaNhID, nl.Uint32Attr(group)))
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil {
		return fmt.Errorf("route %s to nexthop group %d: %w", dst, group, err)
	}
	return nil
}

// GroupLegs returns the ids of the legs that the kernel has in the group as
// SetGroup makes it, in ascending order; none when there is no such group.
func (s *Stack) GroupLegs(id uint32) ([]uint32, error) {
	members := map[uint32]bool{}
	err := s.ns.Do(func() error {
		req := nexthopRequest(unix.RTM_GETNEXTHOP, 0, unix.AF_UNSPEC)
		req.AddData(nl.NewRtAttr(unix.NHA_ID, nl.Uint32Attr(id)))
		msgs, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWNEXTHOP)
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read nexthop group %d: %w", id, err)
		}
		for _, m := range msgs {
			attrs, err := nl.ParseRouteAttr(m[sizeofNhmsg:])
			if err != nil {
				return fmt.Errorf("parse nexthop group %d: %w", id, err)
			}
			for _, a := range attrs {
				if a.Attr.Type&nlaTypeMask != unix.NHA_GROUP {
					continue
				}
				for v := a.Value; len(v) >= 8; v = v[8:] {
					members[nl.NativeEndian().Uint32(v)] = true
				}
			}
		}
		return nil
	})
	var legs []uint32
	for m := range members {
		if m&twin == 0 && members[m|twin] {
			legs = append(legs, m)
		}
	}
	slices.Sort(legs)
	return legs, err
}

const sizeofNhmsg = 8

// nhmsg is struct nhmsg of linux/nexthop.h.
type nhmsg struct{ family, protocol uint8 }

func (m nhmsg) Len() int          { return sizeofNhmsg }
func (m nhmsg) Serialize() []byte { return []byte{m.family, 0, m.protocol, 0, 0, 0, 0, 0} }

func nexthopRequest(kind, flags int, family uint8) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(kind, flags)
	msg := nhmsg{family: family, protocol: unix.RTPROT_STATIC}
	if kind == unix.RTM_GETNEXTHOP {
		msg.protocol = 0 // a question names none
	}
	req.AddData(msg)
	return req
}
