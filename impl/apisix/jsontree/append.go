package jsontree

import (
	"encoding/json"
	"slices"
	"strings"
)

// AppendObject prints a JSON object as encoding/json does: compactly, and its members in
// the order of their names. Texts have no more escapes than they need: slashes and what is
// not ASCII stand for themselves. set replaces members or adds some; an empty text leaves
// one out.
func AppendObject(to []byte, object string, set map[string]string) []byte {
	type member struct{ name, value string }
	var first [24]member
	all := first[:0]
	for name, value := range Members(object) {
		if _, ok := set[name]; !ok {
			all = append(all, member{name, value})
		}
	}
	for name, value := range set {
		if value != "" {
			all = append(all, member{name, value})
		}
	}
	slices.SortStableFunc(all, func(a, b member) int { return strings.Compare(a.name, b.name) })
	to = append(to, '{')
	for i, m := range all {
		if i+1 < len(all) && all[i+1].name == m.name {
			continue // the last counts
		}
		to = appendName(to, m.name)
		to = append(to, ':')
		to = appendCompact(to, m.value)
		to = append(to, ',')
	}
	if len(all) > 0 {
		to = to[:len(to)-1]
	}
	return append(to, '}')
}

func appendName(to []byte, name string) []byte {
	for i := range len(name) {
		if c := name[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return appendOdd(to, name)
		}
	}
	to = append(to, '"')
	to = append(to, name...)
	return append(to, '"')
}

// appendOdd prints what is not ordinary, without the HTML escapes of encoding/json.
func appendOdd(to []byte, name string) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(name) // a string always prints
	return append(to, strings.TrimSuffix(b.String(), "\n")...)
}

// appendCompact copies a value without the space between its tokens.
func appendCompact(to []byte, value string) []byte {
	from := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '"':
			begin, spare := i, false
			for i++; i < len(value) && value[i] != '"'; i++ {
				if value[i] == '\\' && i+1 < len(value) {
					i++
					spare = spare || value[i] == '/' || value[i] == 'u'
				}
			}
			var text string
			if spare && i < len(value) && json.Unmarshal([]byte(value[begin:i+1]), &text) == nil {
				to = append(to, value[from:begin]...)
				to = appendOdd(to, text)
				from = i + 1
			}
		case ' ', '\t', '\r', '\n':
			to = append(to, value[from:i]...)
			from = i + 1
		}
	}
	return append(to, value[from:]...)
}
