package plugin

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"regexp/syntax"
	"slices"
	"strings"
	"sync/atomic"
)

// foreign are what Go's regular expressions do not know and PCRE, which the
// configurations are written for, may well accept.
var foreign = []syntax.ErrorCode{
	syntax.ErrInvalidPerlOp, syntax.ErrInvalidEscape, syntax.ErrInvalidNamedCapture, syntax.ErrInvalidRepeatOp,
	syntax.ErrInvalidRepeatSize, syntax.ErrInvalidCharClass, syntax.ErrLarge, syntax.ErrNestingDepth,
}

// checkRegex refuses what no library of regular expressions can read.
func checkRegex(pattern string) error {
	known := &readable[maphash.String(readableSeed, pattern)%uint64(len(readable))]
	if p := known.Load(); p != nil && *p == pattern {
		return nil
	}
	_, err := syntax.Parse(pattern, syntax.Perl) // all of regexp.Compile that can fail
	var e *syntax.Error
	if errors.As(err, &e) && !slices.Contains(foreign, e.Code) {
		return errors.New(e.Code.String())
	}
	if len(pattern) <= maxReadable {
		own := strings.Clone(pattern) // not a part of a whole object
		known.Store(&own)
	}
	return nil
}

// maxReadable is the longest pattern that is remembered, in bytes.
const maxReadable = 1 << 10

// readable are patterns that were found good: a few are in thousands of routes, and to read
// one takes as long as all the rest of a route.
var (
	readable     [256]atomic.Pointer[string]
	readableSeed = maphash.MakeSeed()
)

// checkRegexes is checkRegex for several.
func checkRegexes(patterns []string) error {
	for _, p := range patterns {
		if err := checkRegex(p); err != nil {
			return fmt.Errorf("%w in %q", err, p)
		}
	}
	return nil
}

// verbatim is an error whose text is APISIX's own, not written as ours are.
type verbatim string

func (v verbatim) Error() string { return string(v) }

func checkRedirect(conf map[string]any, _ Kind) error {
	if pair := texts(conf, "regex_uri"); len(pair) == 2 {
		if err := checkRegex(pair[0]); err != nil {
			return fmt.Errorf("invalid regex_uri (%s, %s), err:%w", pair[0], pair[1], err)
		}
	}
	if conf["http_to_https"] == true && conf["append_query_string"] == true {
		return verbatim("only one of `http_to_https` and `append_query_string` can be configured.")
	}
	return nil
}

func checkRewrite(conf map[string]any, _ Kind) error {
	pairs := texts(conf, "regex_uri")
	if len(pairs)%2 != 0 {
		return verbatim("The length of regex_uri should be an even number")
	}
	for i := 0; i < len(pairs); i += 2 {
		if err := checkRegex(pairs[i]); err != nil {
			return fmt.Errorf("invalid regex_uri(%s, %s): %w", pairs[i], pairs[i+1], err)
		}
	}
	headers := object(conf, "headers")
	flat := true
	for _, name := range []string{"add", "set", "remove"} {
		switch headers[name].(type) {
		case map[string]any:
			if err := checkHeaders(object(headers, name)); err != nil {
				return err
			}
			flat = false
		case []any:
			flat = flat && name != "remove"
		}
	}
	if !flat {
		return nil
	}
	return checkHeaders(headers)
}

// checkHeaders looks at the characters of names and values.
func checkHeaders(fields map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !isToken(name) {
			return errors.New("invalid field character in header")
		}
		values, several := fields[name].([]any)
		if !several {
			values = []any{fields[name]}
		}
		for _, v := range values {
			if s, ok := v.(string); ok && strings.ContainsFunc(s, isControl) {
				return errors.New("invalid value character in header")
			}
		}
	}
	return nil
}

// isToken reports whether a name is one of RFC 9110, 5.6.2.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		alphanumeric := '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		return !alphanumeric && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
