package exchange

import "iter"

// Field is one header field. Name and Value may be views (see the package
// comment). Names keep the spelling of the sender.
type Field struct{ Name, Value string }

// Fields is a list of header fields in the order of the message. It is the
// index of the parser: lookups walk it, compare the length first, then fold
// ASCII case, and never allocate.
type Fields []Field

// Get returns the value of the first field of that name.
func (f Fields) Get(name string) (string, bool) {
	for i := range f {
		if EqualFold(f[i].Name, name) {
			return f[i].Value, true
		}
	}
	return "", false
}

// Has tells whether a field of that name is there.
func (f Fields) Has(name string) bool { _, ok := f.Get(name); return ok }

// Values yields the values of all fields of that name, in order.
func (f Fields) Values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range f {
			if EqualFold(f[i].Name, name) && !yield(f[i].Value) {
				return
			}
		}
	}
}

// EqualFold compares two field names: ASCII letters without case, all else
// exactly. (strings.EqualFold also folds Unicode: "K" (Kelvin) equals "k".)
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if x, y := a[i], b[i]; x != y && Lower(x) != Lower(y) {
			return false
		}
	}
	return true
}

// Lower is an ASCII letter in lower case, and anything else as it is.
func Lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// Tokens yields the elements of a comma-separated list such as the value of
// Connection, without surrounding blanks; empty elements are left out.
func Tokens(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for start, i := 0, 0; i <= len(list); i++ {
			if i < len(list) && list[i] != ',' {
				continue
			}
			if t := TrimBlanks(list[start:i]); t != "" && !yield(t) {
				return
			}
			start = i + 1
		}
	}
}

// TrimBlanks cuts spaces and tabs off both ends, as around values of fields.
func TrimBlanks(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
