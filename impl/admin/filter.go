package admin

import (
	"net/url"
	"slices"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/expr"
)

// filters returns the condition that the query sets for a list; nil: none.
func filters(res *resource, q url.Values) (func(tree map[string]any) bool, *failure) {
	var conds []func(map[string]any) bool
	if q.Get("name") != "" {
		found, err := expr.Search(q.Get("name"))
		if err != nil {
			return nil, bad("invalid argument name: " + err.Error())
		}
		conds = append(conds, func(t map[string]any) bool {
			name, ok := t["name"].(string)
			return ok && found(name)
		})
	}
	if label := q.Get("label"); label != "" {
		conds = append(conds, func(t map[string]any) bool {
			labels, _ := t["labels"].(map[string]any)
			_, ok := labels[label]
			return ok
		})
	}
	if q.Get("uri") != "" {
		found, err := expr.Search(q.Get("uri"))
		if err != nil {
			return nil, bad("invalid argument uri: " + err.Error())
		}
		conds = append(conds, func(t map[string]any) bool { return anyPath(t, found) })
	}
	if res.dir == "routes" || res.dir == "stream_routes" {
		conds = append(conds, byIDs(q.Get("filter"))...)
	}
	if len(conds) == 0 {
		return nil, nil
	}
	return func(t map[string]any) bool {
		for _, c := range conds {
			if !c(t) {
				return false
			}
		}
		return true
	}, nil
}

func anyPath(t map[string]any, match func(string) bool) bool {
	if uri, ok := t["uri"].(string); ok && match(uri) {
		return true
	}
	uris, _ := t["uris"].([]any)
	return slices.ContainsFunc(uris, func(v any) bool {
		uri, ok := v.(string)
		return ok && match(uri)
	})
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
