package topology

import (
	"fmt"
	"strings"
)

// over lays a cable instead of a plain link, unless the wiring asks for nothing.
func (j joint) over(w Wiring) joint {
	if w.Impairable || !w.IsZero() {
		j.kind, j.impair = LinkWire, w.Impairment
	}
	return j
}

// wiring is what a cable of the region is like: what is written at its path, and
// for the rest what the region says, and for the rest what defaults say. What has
// no wire of its own inherits nothing: it is a plain link.
func (s *Spec) wiring(r *Region, own *Wiring, path string) Wiring {
	if own == nil {
		return Wiring{}
	}
	w := *own
	s.src.Inherit(&w, path, s.regionWire(r))
	return w
}

// regionWire is what defaults say that the region does not deny.
func (s *Spec) regionWire(r *Region) *Wiring {
	w := r.Wire
	s.src.Inherit(&w, "regions."+r.Name+".wire", &s.Defaults.Wire.Wiring)
	return &w
}

// besides is what an impairment does besides delaying, for people.
func (i Impairment) besides() string {
	var parts []string
	for _, p := range []struct {
		name  string
		value any
		zero  bool
	}{
		{"jitter", i.Jitter, i.Jitter == 0}, {"loss", i.Loss, i.Loss == 0}, {"duplicate", i.Duplicate, i.Duplicate == 0},
		{"corrupt", i.Corrupt, i.Corrupt == 0}, {"reorder", i.Reorder, i.Reorder == 0}, {"rate", i.Rate, i.Rate == 0},
		{"max-packet", i.MaxPacket, i.MaxPacket == 0}, {"deeds", len(i.At), len(i.At) == 0},
	} {
		if !p.zero {
			parts = append(parts, fmt.Sprintf("%s %v", p.name, p.value))
		}
	}
	return strings.Join(parts, " ")
}
