package content

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxSteps bounds the values that a path is followed through: each ".." may go through
// all of them again.
const maxSteps = 100_000

// IsQuery tells a path that stands for any number of values from the names of one.
func IsQuery(path string) bool {
	return strings.ContainsAny(path, "[*") || strings.Contains(path, "..")
}

// Find returns what is at a path in a tree, as encoding/json decodes it; false when nothing
// is, or null. A path of names, as a.b, is of one value. One with any of these is of the
// list of all that it leads to, also when that is one:
//
//	a[0]  a[-1]   a member of an array, from 0, or from its end
//	a[*]  a.*     all of an array or object
//	a['b c']      a name in quotes
//	a..b          the name at any depth below
//
// A path that cannot be read leads to nothing. ErrBounds: it leads through too much.
func Find(tree any, path string) (value any, ok bool, err error) {
	if !IsQuery(path) {
		for name := range strings.SplitSeq(path, ".") {
			object, _ := tree.(map[string]any)
			if tree, ok = object[name]; !ok {
				return nil, false, nil
			}
		}
		return tree, tree != nil, nil
	}
	steps, ok := parsePath(path)
	if !ok {
		return nil, false, nil
	}
	w := walk{}
	w.follow(tree, steps)
	if w.seen > maxSteps {
		return nil, false, beyond("the path %s leads through more than %d values", path, maxSteps)
	}
	return w.found, len(w.found) > 0, nil
}

// step is one step of a path.
type step struct {
	deep  bool   // from anywhere below
	all   bool   // to all
	name  string // else to a name of an object,
	index *int   // or to a member of an array
}

// parsePath reads what follows "$.".
func parsePath(path string) (steps []step, ok bool) {
	for rest := "." + path; rest != ""; {
		var s step
		if s.deep = strings.HasPrefix(rest, ".."); s.deep {
			rest = rest[1:]
		}
		rest = strings.TrimPrefix(rest, ".")
		if strings.HasPrefix(rest, "[") {
			rest, ok = s.subscript(rest[1:])
		} else {
			rest, ok = s.word(rest)
		}
		if !ok {
			return nil, false
		}
		steps = append(steps, s)
	}
	return steps, len(steps) > 0
}

// word reads a name or a star, and returns what follows it.
func (s *step) word(text string) (rest string, ok bool) {
	n := strings.IndexAny(text, ".[")
	if n < 0 {
		n = len(text)
	}
	s.name, s.all = text[:n], text[:n] == "*"
	return text[n:], n > 0 && !strings.ContainsAny(s.name, "]'\"")
}

// subscript reads what is in brackets, up to the closing one, and returns what follows it.
func (s *step) subscript(text string) (rest string, ok bool) {
	if text != "" && (text[0] == '\'' || text[0] == '"') {
		s.name, rest, ok = strings.Cut(text[1:], text[:1]+"]")
		return rest, ok
	}
	inside, rest, ok := strings.Cut(text, "]")
	if s.all = inside == "*"; s.all || !ok {
		return rest, ok
	}
	n, err := strconv.Atoi(inside)
	s.index = &n
	return rest, err == nil
}

// walk follows a path, from the first match to the last as they stand in the text, names
// of an object in their order.
type walk struct {
	found []any
	seen  int // values that were gone through
}

func (w *walk) follow(tree any, steps []step) {
	if w.seen++; w.seen > maxSteps {
		return
	}
	if len(steps) == 0 {
		w.found = append(w.found, tree)
		return
	}
	s := &steps[0]
	switch tree := tree.(type) {
	case map[string]any:
		w.object(tree, s, steps)
	case []any:
		w.array(tree, s, steps)
	}
}

func (w *walk) object(o map[string]any, s *step, steps []step) {
	if v, ok := o[s.name]; ok && !s.all && s.index == nil {
		w.follow(v, steps[1:])
	}
	if !s.all && !s.deep {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if s.all {
			w.follow(o[name], steps[1:])
		}
		if s.deep {
			w.follow(o[name], steps)
		}
	}
}

func (w *walk) array(a []any, s *step, steps []step) {
	if s.index != nil {
		i := *s.index
		if i < 0 {
			i += len(a)
		}
		if i >= 0 && i < len(a) {
			w.follow(a[i], steps[1:])
		}
	}
	if !s.all && !s.deep {
		return
	}
	for _, v := range a {
		if s.all {
			w.follow(v, steps[1:])
		}
		if s.deep {
			w.follow(v, steps)
		}
		if w.seen > maxSteps {
			return
		}
	}
}
