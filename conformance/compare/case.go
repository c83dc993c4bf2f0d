package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Case compares the runs of one case on two builds. What differs between the runs
// of one build is no difference between the builds: a difference is in every run of
// one side and in none of the other. So a side that ran the case once can only be
// compared by what became of it.
func Case(base, head []Seen) []Difference {
	if len(base) == 0 || len(head) == 0 {
		return nil
	}
	id := base[0].Case
	b, h := columns(base), columns(head)
	if len(b) > 1 || len(h) > 1 {
		return []Difference{{
			Kind: Unsteady, Meaning: Outcome, Cases: []string{id}, Base: tally(base), Head: tally(head), Says: said(append(slices.Clone(head), base...)),
		}}
	}
	d := Difference{Meaning: Outcome, Cases: []string{id}, Base: string(base[0].State), Head: string(head[0].State)}
	switch from, to := b[0], h[0]; {
	case from == to && from != good:
		return nil
	case from == to:
		return changes(base, head)
	case to == bad:
		d.Kind, d.Says = Regressed, append(said(head), seenToo(base, head)...)
	case to == good && from == bad:
		d.Kind, d.Says = Fixed, said(base)
	case to == good:
		d.Kind = Gained
	case from == good:
		d.Kind, d.Says = Lost, said(head)
	default: // failed, and now nobody can say; or skipped, and now undecided
		d.Kind, d.Says = Unsteady, said(head)
	}
	return []Difference{d}
}

// columns are the different ones in which runs ended.
func columns(runs []Seen) []column {
	var out []column
	for _, s := range runs {
		if c := columnOf(s.State); !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// tally says how runs ended: "pass", or "pass 3, fail 2".
func tally(runs []Seen) string {
	n := map[spec.State]int{}
	for _, s := range runs {
		n[s.State]++
	}
	if len(n) == 1 {
		return string(runs[0].State)
	}
	var out []string
	for _, s := range slices.Sorted(maps.Keys(n)) {
		out = append(out, fmt.Sprintf("%s %d", s, n[s]))
	}
	return strings.Join(out, ", ")
}

// maxSays is how many lines a difference quotes.
const maxSays = 5

// said is what the first run that did not pass says, or why it was not judged.
func said(runs []Seen) []string {
	for _, s := range runs {
		switch {
		case columnOf(s.State) == good:
		case len(s.Says) > 0:
			return slices.Clone(s.Says[:min(len(s.Says), maxSays)])
		case s.Reason != nil:
			return []string{because(*s.Reason)}
		}
	}
	return nil
}

// because is a reason in a few words.
func because(r spec.Reason) string {
	switch r.Code {
	case spec.Machine:
		return fmt.Sprintf("machine lacks %v", r.Lacks)
	case spec.Unclaimed:
		return fmt.Sprintf("does not claim %v", r.Needs)
	case spec.After:
		return "builds on " + r.Case
	}
	return string(r.Code)
}

// seenToo are the differences that clients and backends saw in a case that no
// longer passes, in a line each.
func seenToo(base, head []Seen) []string {
	var out []string
	for _, d := range changes(base, head) {
		out = append(out, fmt.Sprintf("%s: %s -> %s", d.What, d.Base, d.Head))
	}
	return out[:min(len(out), maxSays)]
}
