package expr

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/dlclark/regexp2"
)

// patience bounds a search with an expression that looks ahead or behind: how long that
// takes is not bounded by the length of the text. Then nothing was found, as with the
// limit of PCRE.
const patience = 20 * time.Millisecond

func init() { regexp2.SetTimeoutCheckPeriod(patience / 4) }

// Search returns what tells whether a text has something that a pattern of APISIX's
// matches. It is safe for concurrent use.
func Search(pattern string) (func(text string) bool, error) {
	re, slow, err := read(pattern, inUse.get)
	switch {
	case err != nil:
		return nil, err
	case re != nil:
		return re.MatchString, nil
	}
	slow.MatchTimeout = patience
	return func(text string) bool {
		found, err := slow.MatchString(text)
		return err == nil && found
	}, nil
}

// read reads a pattern of APISIX's, which is PCRE's. Go's library reads nearly all of
// them and is never slow; the other one is for what it does not know.
func read(pattern string, compile func(string) (*regexp.Regexp, error)) (re *regexp.Regexp, slow *regexp2.Regexp, err error) {
	if re, err = compile(pattern); err == nil {
		return re, nil, nil
	}
	if slow, other := regexp2.Compile(pattern, regexp2.None); other == nil {
		return nil, slow, nil
	}
	return nil, nil, err
}

// matches searches for a pattern.
func matches(right any, flags string) (test, error) {
	var pattern string
	switch r := right.(type) {
	case string:
		pattern = r
	case json.Number:
		pattern = r.String()
	default:
		return never, nil // no text is like that
	}
	found, err := Search(flags + pattern)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return func(l string, ok bool, _ string) bool { return ok && found(l) }, nil
}
