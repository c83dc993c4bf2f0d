package topology

import (
	"regexp"
	"strings"
	"testing"
)

func TestSelectorMatchesWholeRefs(t *testing.T) {
	tests := []struct {
		sel  Selector
		ref  Ref
		want bool
	}{
		{"bj/az1/l7-1", "bj/az1/l7-1", true},
		{"bj/az1/l7-1", "bj/az1/l7-10", false},
		{"bj/az1/l7-*", "bj/az1/l7-10", true},
		{"bj/*/l7-*", "bj/az2/l7-1", true},
		{"bj/*", "bj/az2/l7-1", false},
		{"bj/*", "bj/edge", true},
		{"bj/az1/**", "bj/az1/router", true},
		{"bj/az1/**", "bj/az10/router", false},
		{"bj/az1/**", "bj/az1", true},
		{"**", "vpc/shop/web-1", true},
		{"**/web-1", "vpc/shop/web-1", true},
		{"**/web-1", "web-1", true},
		{"**/az1/**/l7-1", "bj/az1/l7-1", true},
		{"*", "bj/edge", false},
		{"*-*-*", "a-b", false},
		{"*a*b*", "xxaxxbxx", true},
		{"*a*b", "xxaxxbxx", false},
		{"", "bj/edge", false},
		{"**", "", false},
		{"", "", false},
		{"bj//edge", "bj/edge", false},
	}
	for _, tt := range tests {
		if got := tt.sel.Match(tt.ref); got != tt.want {
			t.Errorf("Selector(%q).Match(%q) = %v, want %v", tt.sel, tt.ref, got, tt.want)
		}
	}
}

func TestSelectorCheckSaysWhatCannotSelect(t *testing.T) {
	for sel, ok := range map[Selector]bool{
		"**": true, "bj/*/host-*": true, "bj/**/l7-1": true, "a": true,
		"": false, "bj//x": false, "/bj": false, "bj/": false, "bj/az1**": false, "Bj/*": false, "bj/{a,b}": false, "bj/?": false,
	} {
		if err := sel.Check(); (err == nil) != ok {
			t.Errorf("Selector(%q).Check() = %v, want ok=%v", sel, err, ok)
		}
	}
}

func TestRefNameIsItsLastSegment(t *testing.T) {
	for ref, want := range map[Ref]string{"bj/az1/l7-2": "l7-2", "edge": "edge", "": ""} {
		if got := ref.Name(); got != want {
			t.Errorf("Ref(%q).Name() = %q, want %q", ref, got, want)
		}
	}
}

// naiveMatch is the definition of a Selector as a regular expression.
func naiveMatch(s, r string) bool {
	if s == "" || r == "" {
		return false
	}
	var expr strings.Builder
	for seg := range strings.SplitSeq(s, "/") {
		if seg == "**" {
			expr.WriteString("(/[^/]*)*")
			continue
		}
		expr.WriteString("/" + strings.ReplaceAll(regexp.QuoteMeta(seg), `\*`, "[^/]*"))
	}
	return regexp.MustCompile("(?s)^" + expr.String() + "$").MatchString("/" + r)
}

func FuzzSelectorMatchesLikeItsRegexp(f *testing.F) {
	for _, s := range []string{"bj/az1/**", "**/l7-*", "*/**/*", "a**b", "**", "*a*b*/**/c", "//", "***"} {
		f.Add(s, "bj/az1/l7-1")
	}
	f.Add("**/*/", "a/b/")
	f.Fuzz(func(t *testing.T, s, r string) {
		if len(s)+len(r) > 200 {
			return
		}
		if !isASCII(s) || !isASCII(r) { // a regexp counts runes, names have bytes
			return
		}
		if got, want := Selector(s).Match(Ref(r)), naiveMatch(s, r); got != want {
			t.Errorf("Selector(%q).Match(%q) = %v, want %v", s, r, got, want)
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 126 }) < 0
}
