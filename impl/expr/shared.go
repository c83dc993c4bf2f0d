package expr

import (
	"regexp"
	"runtime"
	"strings"
	"sync"
	"weak"
)

// inUse are the compiled regular expressions of the conditions that there are. A few
// patterns are in thousands of routes, and each takes kilobytes.
var inUse = pool{compile: compilePCRE}

// A pool has regular expressions by their texts, for as long as somebody uses them.
type pool struct {
	compile func(text string) (*regexp.Regexp, error)

	mu sync.Mutex
	by map[string]weak.Pointer[regexp.Regexp]
}

// get compiles a regular expression, or returns the one of that text that is in use.
func (p *pool) get(text string) (*regexp.Regexp, error) {
	p.mu.Lock()
	re := p.by[text].Value()
	p.mu.Unlock()
	if re != nil {
		return re, nil
	}
	text = strings.Clone(text) // not a part of a whole object
	re, err := p.compile(text) // some take a quarter of a second, for which nobody else waits
	if err != nil {
		return nil, err
	}
	return p.put(text, re), nil
}

// put has a text stand for an expression, and returns the one that it stands for: another,
// when somebody else was faster.
func (p *pool) put(text string, re *regexp.Regexp) *regexp.Regexp {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.by[text].Value(); other != nil {
		return other
	}
	if p.by == nil {
		p.by = map[string]weak.Pointer[regexp.Regexp]{}
	}
	p.by[text] = weak.Make(re)
	runtime.AddCleanup(re, p.forget, text)
	return re
}

// forget runs when nobody uses the expression of a text any more.
func (p *pool) forget(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if re, ok := p.by[text]; ok && re.Value() == nil { // else it is in use anew
		delete(p.by, text)
	}
}
