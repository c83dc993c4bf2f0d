package expr

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dlclark/regexp2"
)

// patience bounds a search with an expression that looks ahead or behind: how long that
// takes is not bounded by the length of the text. Then nothing was found, as with the
// limit of PCRE.
const patience = 20 * time.Millisecond

func init() { regexp2.SetTimeoutCheckPeriod(patience / 4) }

// Search returns what tells whether a text has something that a pattern of APISIX's
// matches. These are PCRE's. Go's library reads nearly all of them and is never slow; the
// other one is for what it does not know. It is safe for concurrent use.
func Search(pattern string) (func(text string) bool, error) {
	re, err := shared(pattern)
	if err == nil {
		return re.MatchString, nil
	}
	slow, other := regexp2.Compile(pattern, regexp2.None)
	if other != nil {
		return nil, err
	}
	slow.MatchTimeout = patience
	return func(text string) bool {
		found, err := slow.MatchString(text)
		return err == nil && found
	}, nil
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
