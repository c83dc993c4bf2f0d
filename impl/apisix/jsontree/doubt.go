package jsontree

// Doubtful reports whether Complaint may find fault with a text that is JSON: one that is
// nested deep, has very large numbers, or escapes of halves of pairs within its strings. It
// is quick, for few have.
func Doubtful(text string) bool {
	depth, digits, within := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			within = !within
		case within && c == '\\':
			i++ // whatever follows, it does not end the string
			if unit(text[i-1:])&0xf800 == 0xd800 {
				return true
			}
		case within:
		case c-'0' <= 9:
			if digits++; digits > digitsInDoubt {
				return true
			}
			continue
		case c|0x20 == 'e' && exponentInDoubt(text[i+1:]):
			return true
		case c == '{' || c == '[':
			if depth++; depth > nesting {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
		digits = 0
	}
	return false
}

// digitsInDoubt is how many digits of a number in a row make it a large one; with an
// exponent of two digits fewer do not.
const digitsInDoubt = 200

// exponentInDoubt reports whether a text begins with an exponent of three digits or more.
func exponentInDoubt(text string) bool {
	if text != "" && (text[0] == '+' || text[0] == '-') {
		text = text[1:]
	}
	return run(text[:min(len(text), 3)], decimal) == 3
}

// TooDeep reports whether a tree is nested deeper than lua-cjson reads its text.
func TooDeep(tree any) bool { return deeper(tree, nesting) }

func deeper(tree any, levels int) bool {
	members, isObject := tree.(map[string]any)
	items, isList := tree.([]any)
	switch {
	case !isObject && !isList:
		return false
	case levels == 0:
		return true
	}
	for _, v := range members {
		if deeper(v, levels-1) {
			return true
		}
	}
	for _, v := range items {
		if deeper(v, levels-1) {
			return true
		}
	}
	return false
}
