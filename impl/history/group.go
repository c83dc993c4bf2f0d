package history

import (
	"cmp"
	"maps"
	"slices"
)

const (
	// groupOps and groupBytes bound one transaction: etcd takes 128 operations and 1.5
	// MiB by default, and the entry holds every object before and after.
	groupOps   = 60
	groupBytes = 256 << 10
)

// A Group is the objects to change that refer to each other. It is one transaction,
// or, where it is too large, several in an order in which no reference leads nowhere.
type Group struct {
	Changes []Change
	// Transactions is how many it takes.
	Transactions int
	steps        [][]Change
}

// grouped parts changes into those that refer to each other, before or after.
func grouped(objects string, changes map[string]Change) [][]Change {
	root := map[string]string{}
	var find func(string) string
	find = func(key string) string {
		if root[key] != key {
			root[key] = find(root[key])
		}
		return root[key]
	}
	for key := range changes {
		root[key] = key
	}
	for key, c := range changes {
		for _, to := range append(refersTo(objects, key, c.Before), refersTo(objects, key, c.After)...) {
			if _, ok := changes[to]; ok {
				root[find(key)] = find(to)
			}
		}
	}
	groups := map[string][]Change{}
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		groups[find(key)] = append(groups[find(key)], changes[key])
	}
	return slices.SortedFunc(maps.Values(groups), func(a, b []Change) int { return cmp.Compare(a[0].Key, b[0].Key) })
}

// inOrder sorts changes so that no reference leads nowhere in between: what is referred
// to is put before who refers to it, and deletions, which are last, go the other way.
func inOrder(objects string, changes []Change) []Change {
	at := map[string]Change{}
	for _, c := range changes {
		at[c.Key] = c
	}
	var puts, gone []Change
	var add func(c Change)
	add = func(c Change) {
		delete(at, c.Key) // also ends circles
		list, held := &puts, c.After
		if c.After == nil {
			list, held = &gone, c.Before
		}
		for _, to := range refersTo(objects, c.Key, held) {
			if next, ok := at[to]; ok {
				add(next)
			}
		}
		*list = append(*list, c)
	}
	for _, c := range changes {
		if _, ok := at[c.Key]; ok {
			add(c)
		}
	}
	slices.Reverse(gone)
	return append(puts, gone...)
}

func newGroup(objects string, changes []Change) Group {
	changes = inOrder(objects, changes)
	g := Group{Changes: changes}
	size := 0
	for _, c := range changes {
		n := len(c.Key) + len(c.Before) + 2*len(c.After)
		if last := len(g.steps) - 1; last >= 0 && len(g.steps[last]) < groupOps && size+n <= groupBytes {
			g.steps[last] = append(g.steps[last], c)
			size += n
			continue
		}
		g.steps = append(g.steps, []Change{c})
		size = n
	}
	g.Transactions = len(g.steps)
	return g
}
