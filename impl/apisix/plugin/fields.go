package plugin

// The functions below read members of configurations: one that is absent, or of
// another type, is the zero value.

func object(t map[string]any, name string) map[string]any {
	m, _ := t[name].(map[string]any)
	return m
}

func list(t map[string]any, name string) []any {
	items, _ := t[name].([]any)
	return items
}

func text(t map[string]any, name string) string {
	s, _ := t[name].(string)
	return s
}

// texts returns the strings of a list.
func texts(t map[string]any, name string) []string {
	var out []string
	for _, item := range list(t, name) {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
