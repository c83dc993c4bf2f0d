package admin

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
)

// get answers one object or a list.
func (h *Handler) get(req *request) (*answer, *failure) {
	if req.id == "" {
		return h.list(req)
	}
	kv, ok, _, err := h.st.Get(req.Context(), h.key(req.res, req.id))
	if err != nil {
		return nil, unavailable(err)
	}
	tree, isObj := isObject(kv.Value)
	if !ok || !isObj {
		return nil, keyNotFound()
	}
	return &answer{code: http.StatusOK, body: item{
		Key: kv.Key, Value: h.shown(req.res, kv.Value, tree), CreatedIndex: kv.Create, ModifiedIndex: kv.Mod,
	}}, nil
}

func (h *Handler) list(req *request) (*answer, *failure) {
	keep, err := filters(req.res, req.URL.Query())
	if err != nil {
		return nil, err
	}
	kvs, _, lerr := h.st.List(req.Context(), h.dir(req.res.dir))
	if lerr != nil {
		return nil, unavailable(lerr)
	}
	items := make([]item, 0, len(kvs))
	for _, kv := range kvs {
		tree, ok := isObject(kv.Value)
		if !ok || strings.HasSuffix(kv.Key, "/") || !keep(tree) {
			continue
		}
		items = append(items, item{kv.Key, h.shown(req.res, kv.Value, tree), kv.Create, kv.Mod, tree})
	}
	total := len(items)
	items, err = paged(items, req.URL.Query())
	if err != nil {
		return nil, err
	}
	return &answer{code: http.StatusOK, body: struct {
		List  []item `json:"list"`
		Total int    `json:"total"`
	}{items, total}}, nil
}

// paged cuts out one page, in the order of creation, when page and page_size are
// both numbers.
func paged(items []item, q url.Values) ([]item, *failure) {
	const smallest, largest = 10, 500
	page, err1 := strconv.Atoi(q.Get("page"))
	size, err2 := strconv.Atoi(q.Get("page_size"))
	if err1 != nil || err2 != nil {
		return items, nil
	}
	if size < smallest || size > largest {
		return nil, &failure{code: http.StatusBadRequest, body: "page_size must be between 10 and 500"}
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.CreatedIndex, b.CreatedIndex) })
	page = max(page, 1)
	if page > len(items)/size+1 {
		return items[:0], nil
	}
	from := (page - 1) * size
	return items[min(from, len(items)):min(from+size, len(items))], nil
}

// filters returns the condition that the query sets for a list.
func filters(res *resource, q url.Values) (func(tree map[string]any) bool, *failure) {
	var conds []func(map[string]any) bool
	if q.Get("name") != "" {
		re, err := regexp.Compile(q.Get("name"))
		if err != nil {
			return nil, bad("invalid argument name: " + err.Error())
		}
		conds = append(conds, func(t map[string]any) bool {
			name, ok := t["name"].(string)
			return ok && re.MatchString(name)
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
		re, err := regexp.Compile(q.Get("uri"))
		if err != nil {
			return nil, bad("invalid argument uri: " + err.Error())
		}
		conds = append(conds, func(t map[string]any) bool { return anyPath(t, re.MatchString) })
	}
	if res.dir == "routes" {
		conds = append(conds, byIDs(q.Get("filter"))...)
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
	fields, err := url.ParseQuery(filter)
	if err != nil {
		return nil
	}
	for _, name := range []string{"service_id", "upstream_id"} {
		values := fields[name]
		if len(values) == 0 {
			continue
		}
		want := values[len(values)-1]
		conds = append(conds, func(t map[string]any) bool { return apisix.IDText(t[name]) == want })
	}
	return conds
}
