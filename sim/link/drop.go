package link

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// table is the name of our nftables tables; nobody else's are touched.
const table = "lbsim"

// maxDropAddrs bounds the addresses of one drop.
const maxDropAddrs = 4096

// Deny drops forwarded packets that enter by one of the interfaces and go to one
// of the UDP ports, for as long as the namespace lives. It is one rule however many
// interfaces there are: a packet does not pay for each of them, and the kernel
// answers once for each rule, by a socket that does not hold many answers.
func (s *Stack) Deny(inIfs []string, udpPorts []uint16) error {
	if len(inIfs) == 0 || len(udpPorts) == 0 {
		return nil
	}
	return s.nft(func(c *nftables.Conn) error {
		t := c.AddTable(&nftables.Table{Name: table, Family: nftables.TableFamilyIPv4})
		chain := c.AddChain(&nftables.Chain{
			Name: "forward", Table: t, Type: nftables.ChainTypeFilter,
			Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
		})
		var names, ports []nftables.SetElement
		for _, in := range inIfs {
			name := make([]byte, unix.IFNAMSIZ)
			copy(name, in)
			names = append(names, nftables.SetElement{Key: name})
		}
		for _, port := range udpPorts {
			ports = append(ports, nftables.SetElement{Key: []byte{byte(port >> 8), byte(port)}})
		}
		ins, dsts := anonymousSet(t, nftables.TypeIFName), anonymousSet(t, nftables.TypeInetService)
		err := errors.Join(c.AddSet(ins, names), c.AddSet(dsts, ports))
		if err == nil {
			c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: denyUDP(ins, dsts)})
			err = c.Flush()
		}
		if err != nil {
			return fmt.Errorf("deny UDP ports %v from %d interfaces: %w", udpPorts, len(inIfs), err)
		}
		return nil
	})
}

func denyUDP(inIfs, ports *nftables.Set) []expr.Any {
	const udpDstPort = 2 // offset in the header
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1},
		&expr.Lookup{SourceRegister: 1, SetID: inIfs.ID, SetName: inIfs.Name},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_UDP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: udpDstPort, Len: 2},
		&expr.Lookup{SourceRegister: 1, SetID: ports.ID, SetName: ports.Name},
		&expr.Counter{},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}
}

// setIDs numbers the sets of a batch. The library has a counter of its own, which
// several namespaces must not use at once.
var setIDs atomic.Uint32

// anonymousSet is a set that the kernel names, and that goes with its rule.
func anonymousSet(t *nftables.Table, key nftables.SetDatatype) *nftables.Set {
	return &nftables.Set{Table: t, ID: setIDs.Add(1), Name: "__set%d", Anonymous: true, Constant: true, KeyType: key}
}

// A Drop silently discards what leaves by the interfaces for the addresses. It
// sits before everything else on the way out, eBPF programs included, and on the
// encapsulated packet where there is a tunnel.
type Drop struct {
	ID  string // one word; names the drop in the namespace
	Ifs []string
	To  []netip.Addr
}

func (d Drop) chain(ifname string) string { return d.ID + "-" + ifname }

// AddDrop puts a drop in force. Adding it again changes nothing.
func (s *Stack) AddDrop(d Drop) error {
	if len(d.To) > maxDropAddrs {
		return fmt.Errorf("drop %s: %d addresses, at most %d", d.ID, len(d.To), maxDropAddrs)
	}
	return s.nft(func(c *nftables.Conn) error {
		have, err := chains(c)
		if err != nil {
			return err
		}
		t := c.AddTable(&nftables.Table{Name: table, Family: nftables.TableFamilyNetdev})
		for _, ifname := range d.Ifs {
			if have[d.chain(ifname)] {
				continue
			}
			if err := addEgressDrop(c, t, d, ifname); err != nil {
				return err
			}
		}
		if err := c.Flush(); err != nil {
			return fmt.Errorf("add drop %s on %d interfaces: %w", d.ID, len(d.Ifs), err)
		}
		return nil
	})
}

func addEgressDrop(c *nftables.Conn, t *nftables.Table, d Drop, ifname string) error {
	chain := c.AddChain(&nftables.Chain{
		Name: d.chain(ifname), Table: t, Type: nftables.ChainTypeFilter, Device: ifname,
		Hooknum: nftables.ChainHookEgress, Priority: nftables.ChainPriorityFilter,
	})
	set := anonymousSet(t, nftables.TypeIPAddr)
	var elements []nftables.SetElement
	for _, a := range d.To {
		elements = append(elements, nftables.SetElement{Key: a.AsSlice()})
	}
	if err := c.AddSet(set, elements); err != nil {
		return fmt.Errorf("add drop %s: %w", d.ID, err)
	}
	const ipv4Dst = 16 // offset in the header
	c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyPROTOCOL, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{0x08, 0x00}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: ipv4Dst, Len: 4},
		&expr.Lookup{SourceRegister: 1, SetID: set.ID, SetName: set.Name},
		&expr.Counter{},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}})
	return nil
}

// RemoveDrop takes a drop out of force. It removes the chains of this drop alone,
// and it is no error when there are none.
func (s *Stack) RemoveDrop(d Drop) error {
	return s.nft(func(c *nftables.Conn) error {
		have, err := chains(c)
		if err != nil {
			return err
		}
		t := &nftables.Table{Name: table, Family: nftables.TableFamilyNetdev}
		for _, ifname := range d.Ifs {
			if have[d.chain(ifname)] {
				c.DelChain(&nftables.Chain{Name: d.chain(ifname), Table: t})
			}
		}
		if err := c.Flush(); err != nil {
			return fmt.Errorf("remove drop %s: %w", d.ID, err)
		}
		return nil
	})
}

// HasDrop reports whether a drop is in force on all its interfaces.
func (s *Stack) HasDrop(d Drop) (bool, error) {
	all := true
	err := s.nft(func(c *nftables.Conn) error {
		have, err := chains(c)
		for _, ifname := range d.Ifs {
			all = all && have[d.chain(ifname)]
		}
		return err
	})
	return all && err == nil, err
}

// Dropped counts the packets that a drop has discarded on all its interfaces.
func (s *Stack) Dropped(d Drop) (uint64, error) {
	var total uint64
	err := s.nft(func(c *nftables.Conn) error {
		t := &nftables.Table{Name: table, Family: nftables.TableFamilyNetdev}
		for _, ifname := range d.Ifs {
			rules, err := c.GetRules(t, &nftables.Chain{Name: d.chain(ifname), Table: t})
			if err != nil {
				return fmt.Errorf("read counters of drop %s: %w", d.ID, err)
			}
			for _, r := range rules {
				for _, e := range r.Exprs {
					if counter, ok := e.(*expr.Counter); ok {
						total += counter.Packets
					}
				}
			}
		}
		return nil
	})
	return total, err
}

// chains returns the names of the chains in our netdev table.
func chains(c *nftables.Conn) (map[string]bool, error) {
	list, err := c.ListChainsOfTableFamily(nftables.TableFamilyNetdev)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, fmt.Errorf("list packet filter chains: %w", err)
	}
	have := map[string]bool{}
	for _, ch := range list {
		if ch.Table.Name == table {
			have[ch.Name] = true
		}
	}
	return have, nil
}

// answersHeld is what the socket holds of the kernel's answers in bytes, one to each
// rule, chain and set of a batch: all of them are there before the first is read.
const answersHeld = 8 << 20

// nft runs f with a connection to nftables whose socket was made inside.
func (s *Stack) nft(f func(*nftables.Conn) error) error {
	room := nftables.WithSockOptions(func(c *netlink.Conn) error { return c.SetReadBuffer(answersHeld) })
	var c *nftables.Conn
	err := s.ns.Do(func() (err error) {
		c, err = nftables.New(nftables.AsLasting(), room)
		return err
	})
	if err != nil {
		return fmt.Errorf("open nftables socket: %w", err)
	}
	defer func() { _ = c.CloseLasting() }() // nothing is pending after Flush
	return f(c)
}
