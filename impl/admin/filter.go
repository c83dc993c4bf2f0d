package admin

import (
	"fmt"
	"net/url"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/expr"
)

const (
	// searchTime is how long patterns may be searched for in all objects of one list.
	searchTime = time.Second
	// maxPattern is the longest pattern, in bytes.
	maxPattern = 1 << 10
)

// filter is what the query of a list asks for.
type filter struct {
	conds    []func(tree map[string]any) bool
	searches []search
}

// search is a pattern in the argument of that name.
type search struct {
	argument string
	texts    func(tree map[string]any) []string // one of which must have it
	found    func(text string) (bool, error)
}

// An argumentError is an argument that cannot be followed.
type argumentError struct {
	name string
	err  error
}

func (e *argumentError) Error() string { return "invalid argument " + e.name + ": " + e.err.Error() }

// filters returns what the query asks for, which may be nothing.
func (h *Handler) filters(res *resource, q url.Values) (*filter, error) {
	f := &filter{}
	if q.Has("label") { // empty as well: hardly a label has such a key
		label := q.Get("label")
		f.conds = append(f.conds, func(t map[string]any) bool {
			labels, _ := t["labels"].(map[string]any)
			_, ok := labels[label]
			return ok
		})
	}
	if res.dir == "routes" || res.dir == "stream_routes" {
		f.conds = append(f.conds, byIDs(q.Get("filter"))...)
	}
	patience := &expr.Patience{Left: h.searchTime, Now: time.Now}
	for _, s := range []search{{argument: "name", texts: names}, {argument: "uri", texts: uris}} {
		pattern := q.Get(s.argument)
		if pattern == "" {
			continue
		}
		if len(pattern) > maxPattern {
			return nil, &argumentError{s.argument, fmt.Errorf("longer than %d bytes", maxPattern)}
		}
		var err error
		if s.found, err = patience.Search(pattern); err != nil {
			return nil, &argumentError{s.argument, err}
		}
		f.searches = append(f.searches, s)
	}
	return f, nil
}

// all tells whether nothing is left out.
func (f *filter) all() bool { return len(f.conds) == 0 && len(f.searches) == 0 }

// keeps tells whether an object is asked for. The error is an *argumentError.
func (f *filter) keeps(t map[string]any) (bool, error) {
	for _, c := range f.conds {
		if !c(t) {
			return false, nil
		}
	}
	for _, s := range f.searches {
		if ok, err := s.in(t); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (s *search) in(t map[string]any) (bool, error) {
	for _, text := range s.texts(t) {
		found, err := s.found(text)
		if err != nil {
			return false, &argumentError{s.argument, err}
		}
		if found {
			return true, nil
		}
	}
	return false, nil
}

func names(t map[string]any) []string { return onlyTexts(t["name"]) }

func uris(t map[string]any) []string {
	several, _ := t["uris"].([]any)
	return append(onlyTexts(t["uri"]), onlyTexts(several...)...)
}

func onlyTexts(values ...any) (texts []string) {
	for _, v := range values {
		if text, ok := v.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// byIDs reads filter=<k=v&k=v>: equality of service_id and upstream_id; other
// fields are ignored, of repeated ones the last counts.
func byIDs(filter string) []func(map[string]any) bool {
	var conds []func(map[string]any) bool
	fields := parseArguments(filter)
	for _, name := range []string{"service_id", "upstream_id"} {
		values := fields[name]
		if len(values) == 0 {
			continue
		}
		want := values[len(values)-1]
		conds = append(conds, func(t map[string]any) bool { return t[name] != nil && apisix.IDText(t[name]) == want })
	}
	return conds
}
