package jsontree

import "fmt"

func escapeOf(control byte) string {
	switch control {
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	return fmt.Sprintf(`\u%04x`, control)
}

// EscapeBare returns a text in which control characters that stand bare within strings are
// escaped, and the text itself when there are none. JSON does not allow them, but APISIX's
// decoder does: scripts put certificates and definitions of gRPC services between two
// quotes as they are, line by line. A text that would grow to more than twice its size is
// none of those, and returned as it is.
func EscapeBare(text []byte) []byte {
	var out []byte
	from, within := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			within = !within
		case !within:
		case c == '\\':
			i++ // whatever follows, it does not end the string
		case c < ' ' && c != 0:
			out = append(out, text[from:i]...)
			out = append(out, escapeOf(c)...)
			from = i + 1
			if len(out) > 2*len(text) {
				return text
			}
		}
	}
	if from == 0 {
		return text
	}
	return append(out, text[from:]...)
}
