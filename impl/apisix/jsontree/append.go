package jsontree

import (
	"encoding/json"
	"slices"
	"strings"
)

// AppendObject prints a JSON object as encoding/json does: compactly, and its members in
// the order of their names, of several of one name the last. Texts have no more escapes
// than they need: slashes and what is not ASCII stand for themselves.
func AppendObject(to []byte, members []Member) []byte {
	var first [24]Member
	all := append(first[:0], members...)
	slices.SortStableFunc(all, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	to = append(to, '{')
	for i, m := range all {
		if i+1 < len(all) && all[i+1].Name == m.Name {
			continue
		}
		to = appendName(to, m.Name)
		to = append(to, ':')
		to = appendCompact(to, m.Text)
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
			if !spare || i == len(value) {
				continue
			}
			var text string
			if json.Unmarshal([]byte(value[begin:i+1]), &text) == nil {
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
