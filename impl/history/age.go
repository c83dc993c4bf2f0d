package history

import (
	"cmp"
	"maps"
	"slices"
)

// Outcome is the state that a plan leads to, and the same with objects as old as they
// were in the state to restore. Gateways order routes by age that are equal otherwise,
// and what is created anew is the youngest.
func (p *Plan) Outcome(l *Log, was *State) (young, old *State) {
	young = newState(l.Revision)
	young.Objects = p.end
	for key := range p.end {
		young.Created[key] = l.Objects[key].Create
	}
	rev := l.Revision
	for _, g := range p.Groups {
		for _, step := range g.steps {
			rev++
			for _, c := range step {
				if c.After != nil && c.Prev == 0 {
					young.Created[c.Key] = rev
				}
			}
		}
	}
	old = &State{Revision: young.Revision, Objects: p.end, Created: maps.Clone(young.Created)}
	for key := range p.end {
		if create := was.Created[key]; create > 0 {
			old.Created[key] = create
		}
	}
	return young, old
}

// byAge sorts groups so that what they create anew is created in the order of its age,
// as far as that is known: such routes keep their order among each other.
func byAge(groups []Group, was *State) {
	oldest := func(g Group) (age int64) {
		for _, c := range g.Changes {
			if create := was.Created[c.Key]; c.Prev == 0 && create > 0 && (age == 0 || create < age) {
				age = create
			}
		}
		return age
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return cmp.Compare(oldest(a), oldest(b)) })
}

// created is the revision that created each object that there was at a revision, as far
// as entries tell.
func (l *Log) created(rev int64) map[string]int64 {
	out := map[string]int64{}
	for _, e := range l.Entries {
		if e.Revision > rev {
			break
		}
		for _, c := range e.Changes {
			switch {
			case c.Deleted:
				delete(out, c.Key)
			case c.Prev == 0:
				out[c.Key] = e.Revision
			}
		}
	}
	return out
}
