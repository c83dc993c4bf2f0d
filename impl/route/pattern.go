package route

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Pattern is a path of a rule that an index of texts cannot decide on: it has a star
// elsewhere than at its end, or a parameter.
type Pattern struct {
	re    *regexp.Regexp
	names []string // of its groups
}

// Capture returns the part of a path that stands for a name in the pattern; false when it
// has no such name, or does not match the path.
func (p *Pattern) Capture(path, name string) (string, bool) {
	if p == nil {
		return "", false
	}
	i := slices.Index(p.names, name)
	if i < 0 {
		return "", false
	}
	at := p.re.FindStringSubmatchIndex(path)
	if at == nil {
		return "", false
	}
	return path[at[2*i+2]:at[2*i+3]], true
}

// splitPattern returns the text that the index knows a path by, and whether it is a
// prefix. special: the index alone cannot decide.
func (r Router) splitPattern(path string) (key string, prefix, special bool) {
	wild := "*"
	if r == URIWithParameter {
		wild = "*:"
	}
	at := strings.IndexAny(path, wild)
	switch {
	case at < 0:
		return path, false, false
	case path[at] == '*' && at == len(path)-1:
		return path[:at], true, false
	}
	return path[:at], true, true
}

// unnamed is the name of what a star stands for that has none.
const unnamed = ":ext"

// compilePattern builds the expression of a special path: a segment that begins with "*"
// is any text, slashes included, and what follows the star in that segment is its name
// and matches nothing. A segment that begins with ":" is any one segment, where the router
// knows such. Other segments are literal (APISIX forgets to quote them; we do not).
func (r Router) compilePattern(path string) (*Pattern, error) {
	var b strings.Builder
	var names []string
	b.WriteString(`(?s)^`)
	for i, seg := range strings.Split(path, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		switch {
		case strings.HasPrefix(seg, "*"):
			b.WriteString(`(.*)`)
			if seg = seg[1:]; seg == "" {
				seg = unnamed
			}
			names = append(names, seg)
		case r == URIWithParameter && strings.HasPrefix(seg, ":"):
			b.WriteString(`([^/]+)`)
			names = append(names, seg[1:])
		default:
			b.WriteString(regexp.QuoteMeta(seg))
		}
	}
	b.WriteByte('$')
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, fmt.Errorf("path pattern %q: %w", path, err)
	}
	return &Pattern{re, names}, nil
}
