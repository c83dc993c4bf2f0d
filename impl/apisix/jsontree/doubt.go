package jsontree

// Doubtful reports whether Complaint may find fault with a text that is JSON: one that is
// nested deep, or in whose strings there are escapes of halves of pairs. It is quick, for
// few are.
func Doubtful(text string) bool {
	depth, within := 0, false
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
		case c == '{' || c == '[':
			if depth++; depth > nesting {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
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
