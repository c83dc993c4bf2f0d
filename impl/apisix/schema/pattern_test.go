package schema

import (
	"regexp"
	"testing"
)

var patterns = []string{
	`^\*$|^\*?[0-9a-zA-Z-._\[\]:]+$`, `^[a-zA-Z0-9-_.]+$`, `^\S+$`, `.*`, `^[^/]+$`, `^\.?[a-z]+$`, `^[a-c]+`, `[a-c]+$`, `^[a-c]*$`, `(?i)^x?[a-c]+$`,
	`^(\$[a-z]+)$`, `^[é-ü]+$`, `^a?[a-c]+$`, `(?m)^[a-c]+$`, `^[a-c]+?$`, `^x?$`,
}

// FuzzPlainForms compares the way around regular expressions with them.
func FuzzPlainForms(f *testing.F) {
	for _, s := range []string{"", "*", "*.a.example", "**", "a", "ab\n", "abc\nd", "é", "a b", "x", "xa", "XA", ".a", "..a", "/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, text := range patterns {
			p, err := compilePattern(text)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := p.MatchString(s), regexp.MustCompile(text).MatchString(s); got != want {
				t.Errorf("%s with %q: %v, want %v", text, s, got, want)
			}
		}
	})
}

func TestPlainFormsAreFound(t *testing.T) {
	for _, text := range patterns[:3] {
		if p, err := compilePattern(text); err != nil || len(p.plain) == 0 {
			t.Errorf("%s has no plain form (%v)", text, err)
		}
	}
}
