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

// matches searches for a pattern. APISIX's are PCRE's. Go's library reads nearly all of
// them and is never slow; the other one is for what it does not know.
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
	re, err := shared(flags + pattern)
	if err == nil {
		return func(l string, ok bool) bool { return ok && re.MatchString(l) }, nil
	}
	slow, other := regexp2.Compile(flags+pattern, regexp2.None)
	if other != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	slow.MatchTimeout = patience
	return func(l string, ok bool) bool {
		if !ok {
			return false
		}
		found, err := slow.MatchString(l)
		return err == nil && found
	}, nil
}
