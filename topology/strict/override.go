package strict

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// override sets one value of the tree: "regions.bj.azs.az1.l7=1". It knows the
// type of the root, so a misspelt name is an error and not a new AZ.
func (f Format) override(root *value, t reflect.Type, text string) error {
	path, raw, ok := strings.Cut(text, "=")
	if !ok || path == "" {
		return errors.New("want path=value, such as regions.bj.azs.az1.l7=1")
	}
	steps, err := splitPath(path)
	if err != nil {
		return err
	}
	file := "--set " + Shorten(text)
	r := &reader{file: file, flat: true, format: f}
	v := r.read(raw)
	if strings.TrimSpace(raw) == "" {
		return fmt.Errorf("%s gets no value", path)
	}
	if v == nil || len(r.errs) > 0 {
		return fmt.Errorf("%s is no value: %s", Shorten(raw), r.errs[0].Msg)
	}
	o := &overrider{place: place{file: file}, value: v}
	return o.set(root, t, "", steps)
}

// splitPath splits "guests[0].count" into guests, [0], count.
func splitPath(path string) ([]string, error) {
	var steps []string
	for part := range strings.SplitSeq(path, ".") {
		name, index, found := strings.Cut(part, "[")
		if name == "" {
			return nil, fmt.Errorf("path %q has an empty part", Shorten(path))
		}
		steps = append(steps, name)
		for found {
			var n string
			n, index, found = strings.Cut(index, "[")
			n, closed := strings.CutSuffix(n, "]")
			if _, err := strconv.ParseUint(n, 10, 16); err != nil || !closed {
				return nil, fmt.Errorf("path %q: an index looks like [0]", Shorten(path))
			}
			steps = append(steps, "["+n+"]")
		}
	}
	return steps, nil
}

type overrider struct {
	place place
	value *value
}

// set walks down by steps from the value at path, whose type is t.
func (o *overrider) set(v *value, t reflect.Type, path string, steps []string) error {
	step, last := steps[0], len(steps) == 1
	at := join(path, step)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	isStruct := t.Kind() == reflect.Struct && shapeOf(t).value == nil
	switch {
	case t.Kind() == reflect.Slice && !keyed(t):
		return o.item(v, t, path, steps)
	case strings.HasPrefix(step, "["):
		return fmt.Errorf("%s is no list", path)
	case isUnion(t):
		u := reflect.New(t).Interface().(Union)
		if !slices.Contains(u.Variants(), step) {
			return fmt.Errorf("unknown word %q%s%s", Shorten(step), inPath(path), suggest(step, u.Variants(), maxWords))
		}
		t = reflect.TypeOf(u.Variant(step)).Elem()
		if v.form == formText && v.text == step || last {
			*v = value{form: formMapping, at: v.at} // the word of before gives way
		}
	case isStruct:
		sh := shapeOf(t)
		f, ok := sh.field(step)
		if !ok {
			return fmt.Errorf("unknown key %q%s%s", Shorten(step), inPath(path), DidYouMean(step, sh.names()))
		}
		t = t.FieldByIndex(f.index).Type
	case keyed(t):
		if v.form == formMapping && v.get(step) == nil && !last {
			return fmt.Errorf("no %q in %s%s; a new one is given whole: %s={...}", Shorten(step), path, DidYouMean(step, v.names()), at)
		}
		t = t.Elem()
	case t.Kind() == reflect.Map:
		t = t.Elem()
	default:
		return fmt.Errorf("%s has no parts", path)
	}
	if v.form != formMapping {
		return fmt.Errorf("%s is %s in the file, so it has no %q", path, v.form, Shorten(step))
	}
	if last {
		v.put(entry{step, o.place, o.value})
		return nil
	}
	next := v.get(step)
	if next == nil || next.form == formNothing {
		next = &value{form: formMapping, at: o.place}
		if t.Kind() == reflect.Slice && !keyed(t) {
			next.form = formList
		}
		v.put(entry{step, o.place, next})
	}
	return o.set(next, t, at, steps[1:])
}

// item sets an item of a list, or adds one after the last.
func (o *overrider) item(v *value, t reflect.Type, path string, steps []string) error {
	i, err := strconv.Atoi(strings.Trim(steps[0], "[]"))
	last := len(steps) == 1
	switch {
	case err != nil || !strings.HasPrefix(steps[0], "["):
		return fmt.Errorf("%s is a list; want an index such as %s[0]", path, path)
	case v.form != formList:
		return fmt.Errorf("%s is %s in the file, not a list", path, v.form)
	case i == len(v.items) && last:
		v.items = append(v.items, o.value)
		return nil
	case i >= len(v.items):
		return fmt.Errorf("%s has %d entries, so there is no %s%s", path, len(v.items), path, steps[0])
	case last:
		v.items[i] = o.value
		return nil
	}
	return o.set(v.items[i], t.Elem(), path+steps[0], steps[1:])
}

func (v *value) names() []string {
	names := make([]string, 0, len(v.entries))
	for _, e := range v.entries {
		names = append(names, e.key)
	}
	return names
}

// put replaces an entry or adds it at the end.
func (v *value) put(e entry) {
	for i := range v.entries {
		if v.entries[i].key == e.key {
			v.entries[i] = e
			return
		}
	}
	v.entries = append(v.entries, e)
}

func inPath(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}
