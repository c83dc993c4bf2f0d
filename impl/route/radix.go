package route

import (
	"slices"
	"sort"
	"strings"
)

// tree is a persistent radix tree from strings to values. It never changes in
// place. The nil tree is empty.
type tree[V any] struct {
	label string // text between the parent and here
	val   *V
	kids  []*tree[V] // sorted by the first byte of their labels
}

// found is a value on the way down to a text, with the length of its key.
type found[V any] struct {
	depth int
	val   *V
}

// stack holds what walk found. The first few are kept in place, so that a
// lookup needs no memory of its own.
type stack[V any] struct {
	n     int
	first [12]found[V]
	more  []found[V]
}

func (s *stack[V]) push(f found[V]) {
	if s.n < len(s.first) {
		s.first[s.n] = f
	} else {
		s.more = append(s.more, f)
	}
	s.n++
}

func (s *stack[V]) top() *found[V] {
	if s.n > len(s.first) {
		return &s.more[s.n-len(s.first)-1]
	}
	return &s.first[s.n-1]
}

func (s *stack[V]) pop() {
	if s.n--; s.n >= len(s.first) {
		s.more = s.more[:s.n-len(s.first)]
	}
}

// walk pushes the values of all keys that are prefixes of the text, the
// shortest first.
func (t *tree[V]) walk(text string, to *stack[V]) {
	depth := 0
	for t != nil && strings.HasPrefix(text[depth:], t.label) {
		depth += len(t.label)
		if t.val != nil {
			to.push(found[V]{depth, t.val})
		}
		if depth == len(text) {
			break
		}
		t = t.kid(text[depth])
	}
}

// walkBack is walk for the text read from its end.
func (t *tree[V]) walkBack(text string, to *stack[V]) {
	depth := 0
	for t != nil && hasPrefixBack(text[:len(text)-depth], t.label) {
		depth += len(t.label)
		if t.val != nil {
			to.push(found[V]{depth, t.val})
		}
		if depth == len(text) {
			break
		}
		t = t.kid(text[len(text)-1-depth])
	}
}

// hasPrefixBack tells whether the text, read from its end, begins with the label.
func hasPrefixBack(text, label string) bool {
	if len(text) < len(label) {
		return false
	}
	for i := range len(label) {
		if text[len(text)-1-i] != label[i] {
			return false
		}
	}
	return true
}

func (t *tree[V]) find(c byte) int {
	return sort.Search(len(t.kids), func(i int) bool { return t.kids[i].label[0] >= c })
}

func (t *tree[V]) kid(c byte) *tree[V] {
	if i := t.find(c); i < len(t.kids) && t.kids[i].label[0] == c {
		return t.kids[i]
	}
	return nil
}

// with returns the tree with the value of a key replaced by f's result; f gets
// the old value or nil, and nil as a result removes the key. Labels are parts of keys,
// which are parts of whole objects: with lasting the labels on the way become parts of
// this key, so that no object is kept in memory that another one has replaced.
func (t *tree[V]) with(key string, lasting bool, f func(*V) *V) *tree[V] {
	if t == nil {
		if v := f(nil); v != nil {
			return &tree[V]{label: key, val: v}
		}
		return nil
	}
	n := commonLen(key, t.label)
	if n < len(t.label) {
		v := f(nil)
		if v == nil {
			return t
		}
		// Split the label: a node for what is common, the old tree below it.
		lower := &tree[V]{label: t.label[n:], val: t.val, kids: t.kids}
		upper := &tree[V]{label: t.label[:n], kids: []*tree[V]{lower}}
		if n == len(key) {
			upper.val = v
			return upper
		}
		return upper.put(&tree[V]{label: key[n:], val: v})
	}
	label := t.label
	if lasting {
		label = key[:n]
	}
	if key = key[n:]; key == "" {
		return (&tree[V]{label: label, val: f(t.val), kids: t.kids}).tidy()
	}
	old := t.kid(key[0])
	kid := old.with(key, lasting, f)
	switch {
	case kid == old:
		return t
	case kid != nil:
		t = t.put(kid)
		t.label = label // it is a copy
		return t
	}
	i := t.find(key[0])
	return (&tree[V]{label: t.label, val: t.val, kids: slices.Concat(t.kids[:i], t.kids[i+1:])}).tidy()
}

// put returns a copy of the node with this kid in its place.
func (t *tree[V]) put(kid *tree[V]) *tree[V] {
	i := t.find(kid.label[0])
	after := i
	if i < len(t.kids) && t.kids[i].label[0] == kid.label[0] {
		after++
	}
	kids := make([]*tree[V], i+1+len(t.kids)-after) // no more memory than it needs
	copy(kids, t.kids[:i])
	kids[i] = kid
	copy(kids[i+1:], t.kids[after:])
	return &tree[V]{label: t.label, val: t.val, kids: kids}
}

// tidy removes a node that holds nothing and joins one that only leads on.
func (t *tree[V]) tidy() *tree[V] {
	switch {
	case t.val != nil || len(t.kids) > 1:
		return t
	case len(t.kids) == 0:
		return nil
	}
	k := t.kids[0]
	return &tree[V]{label: t.label + k.label, val: k.val, kids: k.kids}
}

func commonLen(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
