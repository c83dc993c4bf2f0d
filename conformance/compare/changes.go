package compare

import (
	"maps"
	"slices"
	"strings"
)

// minRuns is how often a side must have run a case before what it showed can be
// compared: of one run nobody knows what is the build's and what is chance.
const minRuns = 2

// changes are the differences between what two builds showed of one case.
func changes(base, head []Seen) []Difference {
	if len(base) < minRuns || len(head) < minRuns {
		return nil
	}
	b, h := byRequest(base), byRequest(head)
	turns := inTurn(base, head)
	var out []Difference
	for _, asked := range slices.Sorted(maps.Keys(b)) {
		// A request that one run does not make depends on time: nothing follows.
		if len(b[asked]) < len(base) || len(h[asked]) < len(head) {
			continue
		}
		for _, d := range groupChanges(b[asked], h[asked]) {
			if Facet(d.What) == facetBackend && turns(d) {
				continue
			}
			d.Kind, d.Cases, d.Asked = Changed, []string{base[0].Case}, asked
			out = append(out, d)
		}
	}
	return Join(out)
}

// inTurn tells differences that say no more than whose turn it was. Where a round
// begins may follow from when a gateway was started, and then all runs of one side
// agree: that one request went to A here and to B there means something only when
// one side never went to one of them in the whole case. Cases themselves judge who
// must answer.
func inTurn(base, head []Seen) func(Difference) bool {
	b, h := answering(base), answering(head)
	return func(d Difference) bool {
		for _, who := range strings.Split(d.Base+listSep+d.Head, listSep) {
			if who == itself || !b[who] || !h[who] {
				return false
			}
		}
		return true
	}
}

// answering are all who answered requests of a case in some run.
func answering(runs []Seen) map[string]bool {
	out := map[string]bool{}
	for _, s := range runs {
		for _, g := range s.Groups {
			for who := range g.Facets[facetBackend] {
				out[who] = true
			}
		}
	}
	return out
}

// byRequest gathers the groups of all runs by what was asked.
func byRequest(runs []Seen) map[string][]Group {
	out := map[string][]Group{}
	for _, s := range runs {
		for _, g := range s.Groups {
			out[g.Asked] = append(out[g.Asked], g)
		}
	}
	return out
}

// groupChanges compares one request, a group for each run. What follows from
// another difference is left out: who got no answer saw no header either.
func groupChanges(base, head []Group) []Difference {
	facets := map[Facet]bool{}
	for _, g := range slices.Concat(base, head) {
		for f := range g.Facets {
			facets[f] = true
		}
	}
	var out []Difference
	differ := map[Facet]bool{}
	for _, f := range slices.Sorted(maps.Keys(facets)) {
		d, ok := facetChange(f, base, head)
		if !ok {
			continue
		}
		differ[f] = true
		d.What = string(f)
		d.Meaning = f.meaning()
		out = append(out, d)
	}
	return slices.DeleteFunc(out, func(d Difference) bool {
		f := Facet(d.What)
		switch {
		case differ[facetConnection]:
			return f != facetConnection
		case differ[facetStatus]:
			return f != facetStatus && f != facetBackend
		}
		return false
	})
}

// facetChange says what every run of one side showed and no run of the other.
func facetChange(f Facet, base, head []Group) (Difference, bool) {
	bs, ok := valuesOf(f, base)
	hs, okHead := valuesOf(f, head)
	if !ok || !okHead {
		return Difference{}, false
	}
	always, never := inAll(bs), inAny(hs)
	gone := slices.ContainsFunc(always, func(v string) bool { return !never[v] })
	fresh := slices.ContainsFunc(inAll(hs), func(v string) bool { return !inAny(bs)[v] })
	switch {
	case gone || fresh:
		return Difference{Base: list(always), Head: list(inAll(hs))}, true
	case f == facetBackend:
		return sharesChange(bs, hs)
	}
	return Difference{}, false
}

// absentValue is the value of a header that a head did not have.
const absentValue = "(absent)"

// valuesOf are the values of a facet and how often each was seen, by run; false
// when a run has nothing to say about it.
func valuesOf(f Facet, runs []Group) ([]map[string]int, bool) {
	var out []map[string]int
	for _, g := range runs {
		values := maps.Clone(g.Facets[f])
		if k := f.kind(); k != "" && f != k {
			heads := g.Facets[k][""]
			if heads == 0 {
				return nil, false
			}
			for _, n := range values {
				heads -= n
			}
			if heads > 0 {
				if values == nil {
					values = map[string]int{}
				}
				values[absentValue] = heads
			}
		}
		if len(values) == 0 || f.kind() == f {
			return nil, false
		}
		out = append(out, values)
	}
	return out, true
}

// inAll are the values that every run showed, in order.
func inAll(runs []map[string]int) []string {
	var out []string
	for _, v := range slices.Sorted(maps.Keys(runs[0])) {
		if !slices.ContainsFunc(runs, func(m map[string]int) bool { return m[v] == 0 }) {
			out = append(out, v)
		}
	}
	return out
}

// inAny are the values that some run showed.
func inAny(runs []map[string]int) map[string]bool {
	out := map[string]bool{}
	for _, m := range runs {
		for v := range m {
			out[v] = true
		}
	}
	return out
}

// list is values in one line.
func list(values []string) string {
	if len(values) == 0 {
		return "(something else each time)"
	}
	return strings.Join(values, listSep)
}

// listSep stands between the values of a list.
const listSep = ", "

// Join makes one of all differences that say the same, with the cases of each.
func Join(ds []Difference) []Difference {
	type key struct {
		kind             Kind
		meaning          Meaning
		what, base, head string
		says             string
	}
	at := map[key]int{}
	var out []Difference
	for _, d := range ds {
		k := key{d.Kind, d.Meaning, d.What, d.Base, d.Head, ""}
		if d.Kind != Changed {
			k.says = strings.Join(d.Cases, " ") // a case of its own
		}
		i, known := at[k]
		if !known {
			at[k] = len(out)
			d.Cases = slices.Clone(d.Cases)
			out = append(out, d)
			continue
		}
		for _, c := range d.Cases {
			if !slices.Contains(out[i].Cases, c) {
				out[i].Cases = append(out[i].Cases, c)
			}
		}
	}
	return out
}
