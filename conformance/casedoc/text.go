package casedoc

import (
	"fmt"
	"strings"
)

// Text is the entry as a terminal shows it.
func (e Entry) Text() string {
	var b strings.Builder
	f := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format, args...) } // a builder takes everything
	f("%s  %s, %s\n%s\n\n%s\n\n", e.ID, e.Level, e.profile(), e.Title, e.Catches)
	row := func(name, value string) {
		if value != "" {
			f("%-11s %s\n", name, value)
		}
	}
	row("features", plain(e.Features))
	row("needs", plain(e.Env))
	row("builds on", strings.Join(e.After, " "))
	for i, r := range e.Refs {
		row([]string{"references", ""}[min(i, 1)], r)
	}
	row("may take", e.Timeout)
	row("source", e.Source)
	row("page", e.Page())
	row("run it", "lbsim conform --case "+e.ID)
	if e.Backends > 0 || e.Objects != "" {
		f("\nobjects, with %d backends\n", e.Backends)
		for line := range strings.Lines(strings.TrimLeft(e.Objects, "\n")) {
			f("    %s", line)
		}
	}
	f("\nproof\n")
	if !e.Proved() {
		f("    none yet: nothing shows that this case can be red\n")
	}
	for _, bug := range e.Bugs {
		f("    red with the reference gateway's bug %q\n", bug)
	}
	for _, m := range e.Mutants {
		f("    red with known-bad build %s: %s\n", m.Name, m.Title)
	}
	return b.String()
}

func plain[T ~string](words []T) string {
	var out []string
	for _, w := range words {
		out = append(out, string(w))
	}
	return strings.Join(out, " ")
}
