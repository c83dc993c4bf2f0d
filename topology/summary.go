package topology

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Summary is the plan for a reader: nodes with their addresses and processes,
// links that are not plain, tenants' networks, VIPs. It ends with a newline and
// is the same for the same plan.
func (p *Plan) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "lab %s  seed %d  %d nodes, %d links, %d processes\n", p.Lab, p.Seed, len(p.Nodes), len(p.Links), p.processes())
	rows := [][]string{{"NODE", "ADDRESS", "MEMBER", "RUNS"}}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		rows = append(rows, []string{string(n.Ref), dash(n.Address()), dash(n.Member), n.runs()})
	}
	table(&b, rows)
	rows = [][]string{{"VIP", "ADDRESS", "TARGETS", "SPREAD OVER"}}
	for _, v := range p.VIPs {
		rows = append(rows, []string{v.Name, v.Address.String(), v.Path, p.legs(v.Region)})
	}
	table(&b, rows)
	rows = [][]string{{"VPC", "CIDR", "VNI", "GUESTS"}}
	for _, v := range p.VPCs {
		guests := len(p.Select(Selector("vpc/" + v.Name + "/*")))
		rows = append(rows, []string{v.Name, v.CIDR.String(), strconv.Itoa(int(v.VNI)), strconv.Itoa(guests)})
	}
	table(&b, rows)
	rows = [][]string{{"WIRE", "DELAY", "BESIDES"}}
	for _, l := range p.Links {
		if l.Kind == LinkWire {
			rows = append(rows, []string{l.Name, l.Impair.Delay.String(), l.Impair.besides()})
		}
	}
	table(&b, rows)
	return b.String()
}

// table writes rows under each other, a blank line before; only a head is nothing.
func table(b *strings.Builder, rows [][]string) {
	if len(rows) < 2 {
		return
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	b.WriteByte('\n')
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
	}
}

func (p *Plan) processes() int {
	count := 0
	for i := range p.Nodes {
		count += len(p.Nodes[i].Processes)
	}
	return count
}

// legs are the nodes that a region's VIPs are spread over.
func (p *Plan) legs(region string) string {
	var to []string
	for _, g := range p.Groups {
		if n, ok := p.Node(g.Node); ok && n.Region == region {
			for _, l := range g.Legs {
				to = append(to, string(l.To))
			}
		}
	}
	return strings.Join(to, " ")
}

func (n *Node) runs() string {
	var what []string
	for _, q := range n.Processes {
		if q.Gateway {
			what = append(what, q.Name+"="+q.Driver)
			continue
		}
		what = append(what, q.Name)
	}
	for _, port := range n.Echo {
		what = append(what, fmt.Sprintf("echo:%d", port))
	}
	if g := n.Guest; g != nil {
		what = append(what, fmt.Sprintf("on %s vni %d", g.Host, g.VNI))
	}
	return strings.Join(what, " ")
}

func dash(a netip.Addr) string {
	if !a.IsValid() {
		return "-"
	}
	return a.String()
}
