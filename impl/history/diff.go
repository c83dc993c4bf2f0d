package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A Difference is one member that differs.
type Difference struct {
	// Path names the member, members within each other separated by dots. Of objects
	// that are no JSON it is empty.
	Path string `json:"path"`
	// From and To are JSON, shortened; "": there was, or is, none.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

const (
	// maxShown is how much of a value is shown, in bytes.
	maxShown = 80
	// maxDifferences is how many of an object are told.
	maxDifferences = 100
)

// unshown are members whose value says nothing to a reader, or must not be read.
var unshown = map[string]bool{"update_time": true, "create_time": true}

// Compare tells how an object differs from another; either may be nil.
func Compare(from, to Object) []Difference {
	var out []Difference
	a, aok := decode(from)
	b, bok := decode(to)
	if !aok || !bok {
		if !bytes.Equal(from, to) || (from == nil) != (to == nil) {
			out = append(out, Difference{From: shorten(string(from)), To: shorten(string(to))})
		}
		return out
	}
	compare(&out, "", member{value: a, is: from != nil}, member{value: b, is: to != nil})
	return out
}

// decode reads an object; nil is one without members.
func decode(o Object) (any, bool) {
	if o == nil {
		return map[string]any{}, true
	}
	d := json.NewDecoder(bytes.NewReader(o))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return nil, false
	}
	return v, true
}

// A member is one of an object, or there is none.
type member struct {
	name   string
	value  any
	is     bool
	hidden bool // its value may be a secret
}

func memberOf(of string, object map[string]any, name string) member {
	v, is := object[name]
	return member{name, v, is, hides(of, object, name)}
}

// compare tells members of members one by one, but for an object that is empty on one
// side: that it is there may be all that it says, as of a plugin with its defaults.
func compare(out *[]Difference, path string, a, b member) {
	if len(*out) >= maxDifferences || a.is && b.is && reflect.DeepEqual(a.value, b.value) {
		return
	}
	am, aIs := a.value.(map[string]any)
	bm, bIs := b.value.(map[string]any)
	empty := a.is && len(am) == 0 || b.is && len(bm) == 0
	if path != "" && empty || a.is && !aIs || b.is && !bIs {
		*out = append(*out, Difference{Path: path, From: shown(a), To: shown(b)})
		return
	}
	names := map[string]bool{}
	for name := range am {
		names[name] = true
	}
	for name := range bm {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if path == "" && unshown[name] {
			continue
		}
		compare(out, join(path, name), memberOf(a.name, am, name), memberOf(b.name, bm, name))
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func shown(m member) string {
	if !m.is {
		return ""
	}
	v := masked(m.name, m.value, m.hidden)
	if v == any(mask) {
		return mask
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "?"
	}
	return shorten(strings.TrimSpace(b.String()))
}

func shorten(s string) string {
	if len(s) <= maxShown {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:maxShown], "") + fmt.Sprintf("… (%d bytes)", len(s))
}
