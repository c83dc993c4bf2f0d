package expr

import (
	"regexp"
	"regexp/syntax"
)

// compilePCRE compiles a pattern of PCRE's by Go's library. What both can read means the
// same to them but for $, which PCRE also finds before a line feed at the end.
func compilePCRE(pattern string) (*regexp.Regexp, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	if widenEnds(tree) {
		pattern = tree.String()
	}
	return regexp.Compile(pattern)
}

// widenEnds makes \n?\z of each $ and tells whether there are any.
func widenEnds(re *syntax.Regexp) (found bool) {
	if re.Op == syntax.OpEndText && re.Flags&syntax.WasDollar != 0 {
		feed := &syntax.Regexp{Op: syntax.OpLiteral, Rune: []rune{'\n'}}
		*re = syntax.Regexp{Op: syntax.OpConcat, Sub: []*syntax.Regexp{{Op: syntax.OpQuest, Sub: []*syntax.Regexp{feed}}, {Op: syntax.OpEndText}}}
		return true
	}
	for _, sub := range re.Sub {
		found = widenEnds(sub) || found
	}
	return found
}
