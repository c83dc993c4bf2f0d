package expr

import (
	"regexp"
	"runtime"
	"strings"
	"sync"
	"weak"
)

// inUse are the compiled regular expressions of the conditions that there are, by their
// texts. A few patterns are in thousands of routes, and each takes kilobytes.
var inUse struct {
	mu sync.Mutex
	by map[string]weak.Pointer[regexp.Regexp]
}

// shared compiles a regular expression, or returns the one of that text that is in use.
func shared(text string) (*regexp.Regexp, error) {
	inUse.mu.Lock()
	defer inUse.mu.Unlock()
	if re := inUse.by[text].Value(); re != nil {
		return re, nil
	}
	text = strings.Clone(text) // not a part of a whole object
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	if inUse.by == nil {
		inUse.by = map[string]weak.Pointer[regexp.Regexp]{}
	}
	inUse.by[text] = weak.Make(re)
	runtime.AddCleanup(re, forget, text)
	return re, nil
}

// forget runs when nobody uses the expression of a text any more.
func forget(text string) {
	inUse.mu.Lock()
	defer inUse.mu.Unlock()
	if p, ok := inUse.by[text]; ok && p.Value() == nil { // else it is in use anew
		delete(inUse.by, text)
	}
}
