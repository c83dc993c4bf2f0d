package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/unilb/unilb/impl/fnat"
	"github.com/unilb/unilb/impl/vpc"
)

// printer writes results as tables or as JSON.
type printer struct {
	out  io.Writer
	json bool
}

// entries is what ls shows of one device.
type entries struct {
	Device   string        `json:"device"`
	Index    int           `json:"ifindex"`
	Role     fnat.Role     `json:"role"`
	Mappings []vpc.Mapping `json:"mappings,omitempty"`
	Places   []fnat.Place  `json:"places,omitempty"`
	Sources  []netip.Addr  `json:"sources,omitempty"`
}

func readEntries(v *fnat.View) (e entries, err error) {
	e = entries{Device: v.Interface.Name, Index: v.Interface.Index, Role: v.Role}
	if e.Mappings, err = v.Mappings(); err != nil {
		return e, err
	}
	if e.Places, err = v.Places(); err != nil {
		return e, err
	}
	slices.SortFunc(e.Places, func(a, b fnat.Place) int {
		if a.VNI != b.VNI {
			return int(a.VNI) - int(b.VNI)
		}
		return a.IP.Compare(b.IP)
	})
	e.Sources, err = v.Sources()
	slices.SortFunc(e.Sources, netip.Addr.Compare)
	return e, err
}

func (p printer) list(views []*fnat.View) error {
	all := make([]entries, 0, len(views))
	for _, v := range views {
		e, err := readEntries(v)
		if err != nil {
			return err
		}
		all = append(all, e)
	}
	if p.json {
		return p.encode(all)
	}
	var w strings.Builder
	for _, e := range all {
		switch e.Role {
		case fnat.RoleGateway:
			fmt.Fprintln(&w, "DEVICE\tUNIQUE IP\tVNI\tVPC IP\tMAC\tVTEP\tGENERATION")
			for _, m := range e.Mappings {
				fmt.Fprintf(&w, "%s\t%s\t%d\t%s\t%s\t%s\t%d\n", e.Device, m.UniqueIP, m.VNI, m.VPCIP, m.MAC, m.VTEP, m.Generation)
			}
		case fnat.RoleVswitch:
			fmt.Fprintln(&w, "DEVICE\tVNI\tIP\tMAC\tAT")
			for _, l := range e.Places {
				at := "host " + l.VTEP.String()
				if l.Index != 0 {
					at = fmt.Sprintf("interface %d", l.Index)
				}
				fmt.Fprintf(&w, "%s\t%d\t%s\t%s\t%s\n", e.Device, l.VNI, l.IP, l.MAC, at)
			}
		case fnat.RoleTunnel:
			fmt.Fprintln(&w, "DEVICE\tL4 NODE")
			for _, a := range e.Sources {
				fmt.Fprintf(&w, "%s\t%s\n", e.Device, a)
			}
		}
	}
	return p.table(w.String(), 0)
}

// traced is what trace shows.
type traced struct {
	Device     string `json:"device"`
	Consistent bool   `json:"consistent"`
	fnat.Trace
}

// trace fails when no gateway here forwards packets to the unique IP, or when
// answers would come back as another.
func (p printer) trace(views []*fnat.View, unique netip.Addr) error {
	for _, v := range views {
		t, ok, err := v.Trace(unique)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if p.json {
			err = p.encode(traced{Device: v.Interface.Name, Consistent: t.Consistent(), Trace: t})
		} else {
			m := t.Mapping
			_, err = fmt.Fprintf(p.out, "to    %s -> %s -> VNI %d %s (%s) at host %s, generation %d\nback  VNI %d %s from host %s -> %s\n",
				m.UniqueIP, v.Interface.Name, m.VNI, m.VPCIP, m.MAC, m.VTEP, m.Generation, m.VNI, m.VPCIP, t.BackVTEP, t.Back)
		}
		if err == nil && !t.Consistent() {
			err = fmt.Errorf("%s: answers do not come back as what was asked; the agent's next audit puts this right", unique)
		}
		return err
	}
	return fmt.Errorf("%s is not mapped: packets to it are dropped", unique)
}

// directions is what stats shows of one device.
type directions struct {
	Device     string                   `json:"device"`
	Role       fnat.Role                `json:"role"`
	Directions map[string]fnat.Counters `json:"directions"`
}

func (p printer) stats(views []*fnat.View) error {
	var all []directions
	for _, v := range views {
		c, err := v.Counters()
		if err != nil {
			return err
		}
		all = append(all, directions{Device: v.Interface.Name, Role: v.Role, Directions: c})
	}
	if p.json {
		return p.encode(all)
	}
	var w strings.Builder
	fmt.Fprintln(&w, "DEVICE\tDIRECTION\tPACKETS\tBYTES\tARP\tMISS\tUNKNOWN\tVTEP\tDEST\tNOT-IPV4\tTOO-BIG\tERROR\t")
	for _, d := range all {
		for _, name := range slices.Sorted(maps.Keys(d.Directions)) {
			c := d.Directions[name]
			fmt.Fprintf(&w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", d.Device, name, c.Packets, c.Bytes, c.ARP,
				c.Miss, c.UnknownSource, c.WrongVTEP, c.WrongDestination, c.NotIPv4, c.TooBig, c.Error)
		}
	}
	return p.table(w.String(), tabwriter.AlignRight)
}

// table writes lines of cells that end in tabs.
func (p printer) table(lines string, flags uint) error {
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', flags)
	if _, err := io.WriteString(w, lines); err != nil {
		return err
	}
	return w.Flush()
}

func (p printer) encode(v any) error {
	e := json.NewEncoder(p.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
