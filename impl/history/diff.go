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

// secret are members whose value is not shown.
var secret = map[string]bool{"key": true, "keys": true, "client_key": true, "auth_header": true}

// hidden are parts of names of members whose value is not shown.
var hidden = []string{"password", "secret", "private_key", "token", "apikey", "api_key", "authorization"}

// hides tells whether a member may be a secret.
func hides(name string) bool {
	name = strings.ToLower(name)
	return secret[name] || slices.ContainsFunc(hidden, func(part string) bool { return strings.Contains(name, part) })
}

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
	compare(&out, "", a, b, from != nil, to != nil)
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

func compare(out *[]Difference, path string, a, b any, inA, inB bool) {
	if len(*out) >= maxDifferences || inA && inB && reflect.DeepEqual(a, b) {
		return
	}
	am, aIs := a.(map[string]any)
	bm, bIs := b.(map[string]any)
	if (aIs || !inA) && (bIs || !inB) {
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
			av, ain := am[name]
			bv, bin := bm[name]
			compare(out, join(path, name), av, bv, ain, bin)
		}
		return
	}
	*out = append(*out, Difference{Path: path, From: shown(path, a, inA), To: shown(path, b, inB)})
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func shown(path string, v any, is bool) string {
	if !is {
		return ""
	}
	name := path[strings.LastIndexByte(path, '.')+1:]
	if v = masked(name, v); v == any(mask) {
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

const mask = "(secret)"

// masked is the value of a member without what may be a secret; references to secrets
// are none.
func masked(name string, v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for name, v := range t {
			out[name] = masked(name, v)
		}
		return out
	case []any:
		if hides(name) {
			return mask
		}
		out := make([]any, len(t))
		for i, v := range t {
			out[i] = masked(name, v)
		}
		return out
	case string:
		if strings.HasPrefix(t, "$secret://") || strings.HasPrefix(t, "$env://") || strings.HasPrefix(t, "$ENV://") {
			return v
		}
	}
	if hides(name) {
		return mask
	}
	return v
}

func shorten(s string) string {
	if len(s) <= maxShown {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:maxShown], "") + fmt.Sprintf("… (%d bytes)", len(s))
}
