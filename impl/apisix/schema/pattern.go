package schema

import (
	"regexp"
	"regexp/syntax"
)

// pattern is a regular expression, with a way around it: nearly all values that are
// checked fit one of its plain forms, which takes a look at each byte. The regular
// expression decides on the others.
type pattern struct {
	re    *regexp.Regexp
	any   bool // it finds something in every text
	plain []plain
}

// plain is a form such as ^\*?[a-z.]+$: a byte that need not be there (0: none), and then
// one or more of a set. Bytes outside ASCII are in none.
type plain struct {
	first byte
	set   [128]bool
}

func compilePattern(text string) (*pattern, error) {
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	p := &pattern{re: re, any: text == ".*"}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	forms := []*syntax.Regexp{tree}
	if tree.Op == syntax.OpAlternate {
		forms = tree.Sub
	}
	for _, form := range forms {
		if f, ok := plainOf(form); ok {
			p.plain = append(p.plain, f)
		}
	}
	return p, nil
}

func plainOf(form *syntax.Regexp) (f plain, ok bool) {
	if form.Op != syntax.OpConcat {
		return f, false
	}
	parts := form.Sub
	if n := len(parts); n < 3 || n > 4 || parts[0].Op != syntax.OpBeginText || parts[n-1].Op != syntax.OpEndText {
		return f, false
	}
	parts = parts[1 : len(parts)-1]
	if len(parts) == 2 {
		quest := parts[0]
		if quest.Op != syntax.OpQuest || quest.Sub[0].Op != syntax.OpLiteral || quest.Sub[0].Flags&syntax.FoldCase != 0 ||
			len(quest.Sub[0].Rune) != 1 || quest.Sub[0].Rune[0] >= 128 {
			return f, false
		}
		f.first, parts = byte(quest.Sub[0].Rune[0]), parts[1:]
	}
	plus := parts[0]
	if plus.Op != syntax.OpPlus || plus.Sub[0].Op != syntax.OpCharClass {
		return f, false
	}
	ranges := plus.Sub[0].Rune
	for i := 0; i < len(ranges); i += 2 {
		for c := ranges[i]; c <= ranges[i+1] && c < 128; c++ {
			f.set[c] = true
		}
	}
	return f, true
}

func (f *plain) fits(s string) bool {
	if f.first != 0 && s != "" && s[0] == f.first {
		s = s[1:]
	}
	for i := range len(s) {
		if s[i] >= 128 || !f.set[s[i]] {
			return false
		}
	}
	return s != ""
}

func (p *pattern) MatchString(s string) bool {
	if p.any {
		return true
	}
	for i := range p.plain {
		if p.plain[i].fits(s) {
			return true
		}
	}
	return p.re.MatchString(s)
}
