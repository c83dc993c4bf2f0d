package compare

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// Text writes what a terminal shows. Its last line is Summary.
func (c *Comparison) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "base %s   head %s   suite %s, %s\n", c.Base.name(), c.Head.name(), c.Base.Suite.Version, c.same())
	for _, d := range c.Differences {
		d.text(&b)
	}
	for _, f := range c.Figures {
		if f.differs() {
			continue // a difference
		}
		fmt.Fprintf(&b, "%-12s%-28s %s", f.Verdict, f.Name, f.values())
		if f.Ratio != 0 {
			fmt.Fprintf(&b, "   %s", f.change())
		}
		if f.Why != "" {
			fmt.Fprintf(&b, "   %s", f.Why)
		}
		b.WriteString("\n")
	}
	for _, u := range c.Used {
		fmt.Fprintf(&b, "%-12s%-28s %s -> %s   x%.2f over all cases, measured once\n", "used", u.Name, u.Base, u.Head, u.Ratio)
	}
	for _, n := range c.Unused {
		fmt.Fprintf(&b, "unused      %q of the allow-list accepts nothing any more\n", n)
	}
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "note        %s\n", n)
	}
	for _, p := range c.Problems {
		fmt.Fprintf(&b, "problem     %s\n", p)
	}
	fmt.Fprintf(&b, "%d cases and %d scenarios compared\n%s\n", c.Cases, c.Scenarios, c.Summary())
	_, err := io.WriteString(w, b.String())
	return err
}

func (f Figure) values() string {
	if f.Base == "" {
		return "-"
	}
	return f.Base + " -> " + f.Head
}

// name is the build in a few words.
func (s Side) name() string {
	digest := strings.TrimPrefix(s.Gateway.Binary, "sha256:")
	if digest == "" {
		return strings.TrimSpace(s.Gateway.Name + " " + s.Gateway.Version)
	}
	return fmt.Sprintf("%s %s (sha256 %.12s)", s.Gateway.Name, cmp.Or(s.Gateway.Version, "?"), digest)
}

// same says what both sides have in common.
func (c *Comparison) same() string {
	topology, machine := "same topology", "same machine class"
	if c.Base.Run.TopologyDigest != c.Head.Run.TopologyDigest {
		topology = "other topologies"
	}
	if machineClass(c.Base.Machine) != machineClass(c.Head.Machine) {
		machine = "other machine classes"
	}
	return topology + ", " + machine
}

// shownCases is how many cases a line names.
const shownCases = 4

func (d Difference) text(b *strings.Builder) {
	kind := string(d.Kind)
	switch {
	case d.Allowed != "":
		kind = "allowed"
	case d.Meaning == Resource:
		kind = map[Kind]string{Slower: "needs more", Faster: "needs less"}[d.Kind]
	}
	if d.Kind != Changed {
		fmt.Fprintf(b, "%-12s%-28s %s -> %s", kind, strings.Join(d.Cases, " "), d.Base, d.Head)
		if len(d.Says) > 0 {
			fmt.Fprintf(b, "   %s", d.Says[0])
		}
	} else {
		fmt.Fprintf(b, "%-12s%-10s %s: %s -> %s   in %d cases: %s", kind, d.Meaning, d.What, d.Base, d.Head, len(d.Cases), strings.Join(d.Cases[:min(len(d.Cases), shownCases)], ", "))
		if len(d.Cases) > shownCases {
			b.WriteString(", …")
		}
	}
	if d.Allowed != "" {
		fmt.Fprintf(b, "   %s, allowed by %q", d.Kind, d.Allowed)
	}
	b.WriteString("\n")
	if d.Kind != Changed && len(d.Says) > 1 {
		for _, s := range d.Says[1:] {
			fmt.Fprintf(b, "%12s%s\n", "", s)
		}
	}
}
