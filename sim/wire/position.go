package wire

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/topology"
)

// MaxFlows is how many flows one position counts. Frames of further flows pass
// and are counted as Stats.Untracked.
const MaxFlows = 16384

// A place is a topology.Position at work: it counts flows.
type place struct {
	topology.Position
	match  matcher
	counts map[flow]uint64 // frames, or bytes of payload
}

// deeds is what all places together do to one frame.
type deeds struct {
	any, drop, duplicate, corrupt bool
	late                          time.Duration
	untracked                     bool
}

func (ps places) deeds(p *packet) deeds {
	var d deeds
	for i := range ps {
		pl := &ps[i]
		if !pl.match.match(p) {
			continue
		}
		hit, counted := pl.count(p)
		if !counted {
			d.untracked = true
		}
		if !hit {
			continue
		}
		d.any = true
		switch pl.Do {
		case "drop":
			d.drop = true
		case "duplicate":
			d.duplicate = true
		case "corrupt":
			d.corrupt = true
		case "delay":
			d.late += pl.By
		}
	}
	return d
}

// count counts the frame and says whether this is the place.
func (pl *place) count(p *packet) (hit, counted bool) {
	var key flow // without a pattern everything is one flow
	if pl.Flow != nil {
		key = p.flow
	}
	had, known := pl.counts[key]
	if !known && len(pl.counts) == MaxFlows {
		return false, false
	}
	if pl.Frame > 0 {
		pl.counts[key] = had + 1
		return had+1 == pl.Frame, true
	}
	now := had
	if p.first && p.proto != protoICMP {
		now += uint64(len(p.ip) - p.payload)
	}
	pl.counts[key] = now
	return now > pl.Bytes, true
}

type places []place

// newPlaces makes the positions ready to count from nothing.
func newPlaces(at []topology.Position) (places, error) {
	var out places
	for i, pos := range at {
		pl := place{Position: pos, counts: map[flow]uint64{}}
		var err error
		if (pos.Frame == 0) == (pos.Bytes == 0) {
			err = fmt.Errorf("exactly one of frame and bytes must be set")
		} else if pos.Flow != nil {
			pl.match, err = newMatcher(pos.Flow)
		}
		switch {
		case err != nil:
		case pos.Do != "drop" && pos.Do != "duplicate" && pos.Do != "corrupt" && pos.Do != "delay":
			err = fmt.Errorf("do %q is none of drop, duplicate, corrupt, delay", pos.Do)
		case (pos.Do == "delay") != (pos.By != 0) || pos.By < 0 || pos.By > maxBy:
			err = fmt.Errorf("by %v: a delay needs one, up to %v, and nothing else has one", pos.By, maxBy)
		}
		if err != nil {
			return nil, fmt.Errorf("at[%d]: %w", i, err)
		}
		out = append(out, pl)
	}
	return out, nil
}

// matcher is a topology.Flow made ready. The zero value matches everything.
type matcher struct {
	proto    byte
	src, dst endpoint
}

type endpoint struct {
	addr netip.Addr
	port uint16
}

func (e endpoint) match(addr [4]byte, port uint16) bool {
	return (!e.addr.IsValid() || e.addr == netip.AddrFrom4(addr)) && (e.port == 0 || e.port == port)
}

func (m matcher) match(p *packet) bool {
	return (m.proto == 0 || m.proto == p.proto) && m.src.match(p.src, p.sport) && m.dst.match(p.dst, p.dport)
}

func newMatcher(f *topology.Flow) (matcher, error) {
	protos := map[string]byte{"": 0, "tcp": protoTCP, "udp": protoUDP, "icmp": protoICMP}
	proto, ok := protos[f.Proto]
	if !ok {
		return matcher{}, fmt.Errorf("proto %q is none of tcp, udp, icmp", f.Proto)
	}
	src, err := newEndpoint(f.Src)
	if err != nil {
		return matcher{}, fmt.Errorf("src: %w", err)
	}
	dst, err := newEndpoint(f.Dst)
	if err != nil {
		return matcher{}, fmt.Errorf("dst: %w", err)
	}
	return matcher{proto: proto, src: src, dst: dst}, nil
}

// newEndpoint reads "10.0.0.1", "10.0.0.1:80", ":80" and "".
func newEndpoint(s string) (endpoint, error) {
	host, port, hasPort := strings.Cut(s, ":")
	var e endpoint
	if host != "" {
		a, err := netip.ParseAddr(host)
		if err != nil || !a.Is4() {
			return e, fmt.Errorf("%q: %q is no IPv4 address", s, host)
		}
		e.addr = a
	}
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return e, fmt.Errorf("%q: %q is no port", s, port)
		}
		e.port = uint16(n)
	}
	return e, nil
}
