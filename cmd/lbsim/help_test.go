package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

func TestHelpOfEveryVerbHasAnExampleAndFitsTheScreen(t *testing.T) {
	root := newRoot()
	verbs := append([]*cobra.Command{root}, root.Commands()...)
	if len(verbs) < 20 {
		t.Fatalf("got %d verbs, want 20 at least", len(verbs))
	}
	for _, cmd := range verbs {
		if cmd.Hidden {
			continue
		}
		if cmd != root && !strings.Contains(cmd.Example, "  lbsim "+cmd.Name()) {
			t.Errorf("%s: no example, got %q", cmd.Name(), cmd.Example)
		}
		text := help
		if cmd != root {
			var b bytes.Buffer
			cmd.SetOut(&b)
			if err := cmd.Help(); err != nil {
				t.Fatal(err)
			}
			text = b.String()
		}
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > helpWidth {
				t.Errorf("%s: a line of %d characters, want %d at most: %s", cmd.Name(), n, helpWidth, line)
			}
		}
	}
}
